import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { type Fault, fault } from '../../../providers/faults.ts'
import type { Input, MediaKind } from '../../../providers/input.ts'
import type { EndpointMapping, Media, Provider, ProviderName } from '../../../providers/provider.ts'
import {
  listMedia,
  parseStoredReference,
  replaceMedia,
  type StoredFile,
  storedInputName,
  toProviderMedia,
} from '../../catalogue/media-values/stored-reference.ts'
import type { ProviderConfig } from '../../config/provider-settings.ts'
import { utf8ByteLength } from '../../text/text-limits.ts'
import type { InlineFile } from '../../upstreams/file-bodies.ts'
import { uploadedLinkMaxBytes } from '../../upstreams/reply-limits.ts'
import type { Transport } from '../../upstreams/transport.ts'
import type { FileStore } from '../storage/file-store.ts'
import type { InputLinks } from './input-links.ts'
import { createUploadQueue, type UploadQueue } from './upload-queue.ts'

/** `<provider> <reference>` -> the link under which that upstream has the file, so that a retry names the same one. */
export type UploadedLinks = Readonly<Record<string, string>>

export type PreparedInput =
  | {
      kind: 'ready'
      input: Input
      uploadedLinks: UploadedLinks
      /** Files whose content goes into the call itself. */
      inline: readonly InlineFile[]
      /** To be called when the input is no longer needed. */
      release(): void
    }
  /** Too many bytes are being uploaded to the upstream; try again after `waitMs`. */
  | { kind: 'busy'; waitMs: number }
  | { kind: 'failed'; fault: Fault }

/** What an upstream reads in the place of a file. */
type FilePayload = { text: string; inline?: InlineFile }

type Upstream = { provider: Provider; mapping: EndpointMapping; config: ProviderConfig }

export type InputUploader = ReturnType<typeof createInputUploader>

type Deps = {
  store: FileStore
  transport: Transport
  links: InputLinks
  /** Where an upstream reaches us; absent where it cannot. */
  publicUrl(config: ProviderConfig): string | undefined
  /** How many jobs may upload to one upstream at once, so that the others' steps find a slot. */
  maxConcurrentUploads: number
}

/** Gives held files to upstreams, each in the way it takes them. */
export function createInputUploader({ store, transport, links, publicUrl, maxConcurrentUploads }: Deps) {
  /** A slow upstream holds up nobody else's files. */
  const queues = new Map<ProviderName, UploadQueue>()

  async function prepareFile(
    file: StoredFile,
    kind: MediaKind,
    upstream: Upstream,
  ): Promise<FilePayload | Fault> {
    const media = toProviderMedia(file, kind)
    const name = storedInputName(file)
    if ((await store.stat(name)) === undefined) {
      return fault('media_unreadable', `The ${kind} of this job is not kept any more`)
    }
    const transferMode = upstream.provider.mediaTransfer(
      upstream.mapping,
      media,
      publicUrl(upstream.config) !== undefined,
    )
    if (transferMode === 'inline') {
      const placeholder = `reelgate-${randomUUID()}`
      const inline = { placeholder, bytes: file.bytes, open: () => store.open(name) }
      return { text: `data:${file.contentType};base64,${placeholder}`, inline }
    }
    if (transferMode === 'link') {
      const origin = publicUrl(upstream.config)
      if (origin === undefined)
        return fault('media_unreadable', `This model takes a ${kind} as a public link only`)
      return { text: `${origin}/media/${links.createToken(file)}` }
    }
    const uploaded = await upload(media, () => store.open(name), upstream)
    if (typeof uploaded !== 'string') return uploaded
    if (utf8ByteLength(uploaded) <= uploadedLinkMaxBytes) return { text: uploaded }
    const message = `${upstream.provider.title} returned a link of ${utf8ByteLength(uploaded)} bytes for an upload`
    return fault('unreadable_reply', message)
  }

  async function upload(
    media: Media,
    open: () => Promise<Readable>,
    { provider, config }: Upstream,
  ): Promise<string | Fault> {
    if (provider.upload === undefined) return fault('media_unreadable', `${provider.title} takes no uploads`)
    let call = provider.upload.call(media)
    let url: string | undefined
    for (;;) {
      const outcome = await transport.send(provider, config, call, { upload: { media, open } })
      if (outcome.kind !== 'reply') return outcome.fault
      if (url !== undefined) {
        const { status } = outcome.reply
        return status < 300
          ? url
          : fault('upstream_error', `${provider.title} did not take the upload (HTTP ${status})`)
      }
      const uploadStep = provider.upload.read(outcome.reply, media)
      if (uploadStep.kind === 'failed') return uploadStep.fault
      if (uploadStep.kind === 'uploaded') return uploadStep.url
      call = uploadStep.call
      url = uploadStep.url
    }
  }

  return {
    /** Gives every held file of a job to an upstream. Links pass untouched, and what was handed over before is not handed over again. */
    async prepare(
      jobId: string,
      input: Input,
      upstream: Upstream,
      earlierLinks: UploadedLinks = {},
    ): Promise<PreparedInput> {
      const { name } = upstream.provider
      const queue = queues.get(name) ?? createUploadQueue({ maxConcurrentUploads })
      queues.set(name, queue)
      const admission = queue.tryEnter(
        jobId,
        bytesToUpload(
          input,
          { ...upstream, hasLinks: publicUrl(upstream.config) !== undefined },
          earlierLinks,
        ),
      )
      if ('waitMs' in admission) return { kind: 'busy', ...admission }
      const { release } = admission
      try {
        const uploadedLinks: Record<string, string> = { ...earlierLinks }
        const inline: InlineFile[] = []
        const preparedInput = await replaceMedia(input, async (value, kind) => {
          const file = parseStoredReference(value)
          if (file === undefined) return value
          const key = keyOf(name, value)
          const knownLink = uploadedLinks[key]
          if (knownLink !== undefined) return knownLink
          const payload = await prepareFile(file, kind, upstream)
          if ('code' in payload) throw new FileNotPrepared(payload)
          if (payload.inline === undefined) uploadedLinks[key] = payload.text
          else inline.push(payload.inline)
          return payload.text
        })
        return { kind: 'ready', input: preparedInput, uploadedLinks, inline, release }
      } catch (cause) {
        release()
        if (cause instanceof FileNotPrepared) return { kind: 'failed', fault: cause.fault }
        throw cause
      }
    },

    /** The input as it was sent to an upstream, as far as it is known. */
    toSentInput(input: Input, provider: ProviderName, uploadedLinks: UploadedLinks = {}): Promise<Input> {
      return replaceMedia(input, async (value) => uploadedLinks[keyOf(provider, value)] ?? value)
    },
  }
}

/** Thrown out of the walk over the fields when a file could not be given. */
class FileNotPrepared extends Error {
  override name = 'FileNotPrepared'
  readonly fault: Fault
  constructor(reason: Fault) {
    super(reason.message)
    this.fault = reason
  }
}

function keyOf(provider: ProviderName, reference: string): string {
  return `${provider} ${reference}`
}

function bytesToUpload(
  input: Input,
  { provider, mapping, hasLinks }: Upstream & { hasLinks: boolean },
  earlierLinks: UploadedLinks,
): number {
  const sizes = listMedia(input).map(({ value, kind }) => {
    const file =
      earlierLinks[keyOf(provider.name, value)] === undefined ? parseStoredReference(value) : undefined
    return file === undefined ||
      provider.mediaTransfer(mapping, toProviderMedia(file, kind), hasLinks) === 'link'
      ? 0
      : file.bytes
  })
  return sizes.reduce((sum, bytes) => sum + bytes, 0)
}
