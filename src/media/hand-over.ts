import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { type Fault, fault } from '../../providers/fault.ts'
import type { Input, MediaKind } from '../../providers/input.ts'
import type { Media, Offer, Provider, ProviderName } from '../../providers/provider.ts'
import type { ProviderConfig } from '../config.ts'
import type { Inline } from '../engine/inline.ts'
import { uploadedLinkMaxBytes } from '../engine/reply-limits.ts'
import type { Transport } from '../engine/transport.ts'
import { bytesOf } from '../text-limits.ts'
import type { Links } from './links.ts'
import { type Held, heldBy, mapMedia, mediaIn, mediaOf, nameOf } from './reference.ts'
import type { FileStore } from './store.ts'
import { createUploadQueue, type UploadQueue } from './upload-queue.ts'

/** `<provider> <reference>` -> the link under which that upstream has the file, so that a retry names the same one. */
export type Handed = Readonly<Record<string, string>>

export type Prepared =
  | {
      kind: 'ready'
      input: Input
      handed: Handed
      /** Files whose content goes into the call itself. */
      inline: readonly Inline[]
      /** To be called when the input is no longer needed. */
      release(): void
    }
  /** Too much is on its way to the upstream; ask again after `waitMs`. */
  | { kind: 'busy'; waitMs: number }
  | { kind: 'failed'; fault: Fault }

/** What an upstream reads in the place of a file. */
type Given = { text: string; inline?: Inline }

type Upstream = { provider: Provider; offer: Offer; config: ProviderConfig }

export type HandOver = ReturnType<typeof createHandOver>

type Parts = {
  store: FileStore
  transport: Transport
  links: Links
  /** Where an upstream reaches us; absent where it cannot. */
  publicUrl(config: ProviderConfig): string | undefined
  /** How many jobs may upload to one upstream at once, so that the others' steps find a slot. */
  uploadsAtOnce: number
}

/** Gives held files to upstreams, each in the way it takes them. */
export function createHandOver({ store, transport, links, publicUrl, uploadsAtOnce }: Parts) {
  /** A slow upstream holds up nobody else's files. */
  const queues = new Map<ProviderName, UploadQueue>()

  async function give(held: Held, kind: MediaKind, upstream: Upstream): Promise<Given | Fault> {
    const media = mediaOf(held, kind)
    const name = nameOf(held)
    if ((await store.stat(name)) === undefined) {
      return fault('media_unreadable', `The ${kind} of this job is not kept any more`)
    }
    const way = upstream.provider.takes(upstream.offer, media, publicUrl(upstream.config) !== undefined)
    if (way === 'inline') {
      const mark = `reelgate-${randomUUID()}`
      const inline = { mark, bytes: held.bytes, open: () => store.open(name) }
      return { text: `data:${held.contentType};base64,${mark}`, inline }
    }
    if (way === 'link') {
      const origin = publicUrl(upstream.config)
      if (origin === undefined)
        return fault('media_unreadable', `This model takes a ${kind} as a public link only`)
      return { text: `${origin}/media/${links.token(held)}` }
    }
    const uploaded = await upload(media, () => store.open(name), upstream)
    if (typeof uploaded !== 'string') return uploaded
    if (bytesOf(uploaded) <= uploadedLinkMaxBytes) return { text: uploaded }
    const told = `${upstream.provider.title} returned a link of ${bytesOf(uploaded)} bytes for an upload`
    return fault('unreadable_reply', told)
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
      const sent = await transport.send(provider, config, call, { upload: { media, open } })
      if (sent.kind !== 'reply') return sent.fault
      if (url !== undefined) {
        const { status } = sent.reply
        return status < 300
          ? url
          : fault('upstream_error', `${provider.title} did not take the upload (HTTP ${status})`)
      }
      const answer = provider.upload.read(sent.reply, media)
      if (answer.kind === 'failed') return answer.fault
      if (answer.kind === 'uploaded') return answer.url
      call = answer.call
      url = answer.url
    }
  }

  return {
    /** Gives every held file of a job to an upstream. Links pass untouched, and what was handed over before is not handed over again. */
    async prepare(job: string, input: Input, upstream: Upstream, before: Handed = {}): Promise<Prepared> {
      const { name } = upstream.provider
      const queue = queues.get(name) ?? createUploadQueue({ uploadsAtOnce })
      queues.set(name, queue)
      const place = queue.enter(
        job,
        bytesToGive(input, { ...upstream, hasLinks: publicUrl(upstream.config) !== undefined }, before),
      )
      if ('waitMs' in place) return { kind: 'busy', ...place }
      const { release } = place
      try {
        const handed: Record<string, string> = { ...before }
        const inline: Inline[] = []
        const ready = await mapMedia(input, async (value, kind) => {
          const held = heldBy(value)
          if (held === undefined) return value
          const key = keyOf(name, value)
          const known = handed[key]
          if (known !== undefined) return known
          const given = await give(held, kind, upstream)
          if ('code' in given) throw new NotGiven(given)
          if (given.inline === undefined) handed[key] = given.text
          else inline.push(given.inline)
          return given.text
        })
        return { kind: 'ready', input: ready, handed, inline, release }
      } catch (cause) {
        release()
        if (cause instanceof NotGiven) return { kind: 'failed', fault: cause.fault }
        throw cause
      }
    },

    /** The input as it was sent to an upstream, as far as it is known. */
    recall(input: Input, provider: ProviderName, handed: Handed = {}): Promise<Input> {
      return mapMedia(input, async (value) => handed[keyOf(provider, value)] ?? value)
    },
  }
}

/** Thrown out of the walk over the fields when a file could not be given. */
class NotGiven extends Error {
  override name = 'NotGiven'
  readonly fault: Fault
  constructor(found: Fault) {
    super(found.message)
    this.fault = found
  }
}

function keyOf(provider: ProviderName, reference: string): string {
  return `${provider} ${reference}`
}

function bytesToGive(
  input: Input,
  { provider, offer, hasLinks }: Upstream & { hasLinks: boolean },
  before: Handed,
): number {
  const sizes = mediaIn(input).map(({ value, kind }) => {
    const held = before[keyOf(provider.name, value)] === undefined ? heldBy(value) : undefined
    return held === undefined || provider.takes(offer, mediaOf(held, kind), hasLinks) === 'link'
      ? 0
      : held.bytes
  })
  return sizes.reduce((sum, bytes) => sum + bytes, 0)
}
