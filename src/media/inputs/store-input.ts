import { rm } from 'node:fs/promises'
import type { Field, Input, MediaKind } from '../../../providers/input.ts'
import { readDataUrlHead } from '../../catalogue/media-values/data-url.ts'
import {
  formatStoredReference,
  listMedia,
  replaceMedia,
  storedInputName,
} from '../../catalogue/media-values/stored-reference.ts'
import { isUploadReference } from '../../catalogue/media-values/uploaded-file.ts'
import { checkMediaFile, detectContentType } from '../formats/check-file.ts'
import { resultsFolder } from '../results/results.ts'
import { inputRetentionMs } from '../retention.ts'
import type { FileStore } from '../storage/file-store.ts'
import type { TempDir } from '../storage/temp-dir.ts'
import { createTempFileWriter, type TempFile } from '../storage/temp-file-writer.ts'
import type { DecodedFile } from './base64.ts'
import type { InputUses } from './input-uses.ts'
import type { Library } from './library.ts'
import { formatMegabytes, type MediaLimits } from './media-limits.ts'
import { MediaRefused } from './media-refused.ts'
import type { Quota } from './quota.ts'
import type { UploadBuffer } from './upload-buffer.ts'

const attachmentPattern = /^attachment:(.+)$/s
/** Only our own routes put this into an input. */
const resultPattern = /^result:([\w-]+\.mp4)$/

/** A file that is stored already is stored again after this long, so that its age tells when it was last used. */
const restoreAfterMs = 3_600_000

type Deps = {
  store: FileStore
  tempDir: TempDir
  uploadBuffer: UploadBuffer
  library: Library
  limits: MediaLimits
  inputUses: InputUses
  quota: Quota
}

/** Whose request it is, and how it spells a field where it does not use our own name. */
export type Sender = { owner: string; spellField?(field: Field): string }

/** `forget`: takes back what was stored for this request alone. To be called when no job came of it. */
export type StoredInput = { input: Input; discard(): Promise<void> }

/** Whether an input has files that would have to be stored. */
export function hasFilesToStore(input: Input): boolean {
  return listMedia(input).some(
    ({ value }) =>
      isUploadReference(value) ||
      attachmentPattern.test(value) ||
      resultPattern.test(value) ||
      readDataUrlHead(value) !== undefined,
  )
}

/** Stores what a request brings by the hash of its content; the job then holds references only. */
export function createInputStorer({ store, tempDir, uploadBuffer, library, limits, inputUses, quota }: Deps) {
  type Undo = () => Promise<void>
  type StoreRequest = { owner: string; undo: Undo[] }

  /** Throws `MediaRefused`. */
  async function storeFile(
    file: DecodedFile,
    kind: MediaKind,
    field: string,
    request: StoreRequest,
  ): Promise<string> {
    if ('problem' in file) throw toMediaRefused(file, field)
    try {
      const { hash, bytes, path } = file
      if (bytes > limits[kind])
        throw toMediaRefused({ problem: 'too large', limitBytes: limits[kind] }, field)
      const check = await checkMediaFile(path, kind)
      if ('problem' in check) throw new MediaRefused(check.reason, field, check.problem)
      await storeUnlessFresh(file, request)
      return formatStoredReference({ hash, bytes, contentType: check.contentType })
    } finally {
      await rm(file.path, { force: true })
    }
  }

  async function storeUnlessFresh(file: TempFile, request: StoreRequest): Promise<void> {
    if (await countAndCheckFresh(file, request)) return
    await store.put(storedInputName(file), file.path)
  }

  /** Counts the file for its sender, and tells whether it needs no storing. */
  async function countAndCheckFresh({ hash, bytes }: Omit<TempFile, 'path'>, { owner, undo }: StoreRequest) {
    const name = storedInputName({ hash })
    const quotaEntry = { owner, name, bytes }
    if (await quota.reserve(quotaEntry, inputRetentionMs)) undo.push(() => quota.release(quotaEntry))
    await inputUses.add(hash)
    undo.push(() => inputUses.release(hash, () => store.remove(name)))
    const stored = await store.stat(name)
    if (stored === undefined) await inputUses.markNew(hash)
    return stored?.bytes === bytes && Date.now() - stored.storedAt < restoreAfterMs
  }

  /** A job has a copy of its own, so that an attachment may be deleted while it runs. */
  async function copyAttachment(
    id: string,
    kind: MediaKind,
    field: string,
    request: StoreRequest,
  ): Promise<string> {
    const attachment = await library.find(id, request.owner)
    if (attachment === undefined)
      throw new MediaRefused('invalid', field, `names no attachment of yours: ${id.slice(0, 60)}`)
    if (attachment.kind !== kind)
      throw new MediaRefused(
        'invalid',
        field,
        `names an attachment that is a ${attachment.kind} file, not ${kind}`,
      )
    const { hash, bytes, contentType } = attachment
    const file = { hash, bytes, contentType }
    if (await countAndCheckFresh(file, request)) return formatStoredReference(file)
    const writer = await createTempFileWriter(tempDir, bytes)
    try {
      for await (const chunk of await library.open(attachment)) await writer.write(chunk as Buffer)
      await store.put(storedInputName(file), (await writer.end()).path)
      return formatStoredReference(file)
    } finally {
      await writer.discard()
    }
  }

  /** A job that goes on from a finished video has a copy of it, so that the video may be deleted meanwhile. */
  async function copyResult(fileName: string, field: string, request: StoreRequest): Promise<string> {
    const name = `${resultsFolder}/${fileName}`
    const stored = await store.stat(name)
    if (stored === undefined)
      throw new MediaRefused('invalid', field, 'names a video that is not kept any more')
    const writer = await createTempFileWriter(tempDir, stored.bytes)
    try {
      for await (const chunk of await store.open(name)) await writer.write(chunk as Buffer)
      const copy = await writer.end()
      const contentType = (await detectContentType(copy.path)) ?? 'video/mp4'
      await storeUnlessFresh(copy, request)
      return formatStoredReference({ ...copy, contentType })
    } finally {
      await writer.discard()
    }
  }

  async function storeValue(
    value: string,
    kind: MediaKind,
    field: string,
    request: StoreRequest,
  ): Promise<string> {
    const attachmentId = attachmentPattern.exec(value)?.[1]
    if (attachmentId !== undefined) return copyAttachment(attachmentId, kind, field, request)
    const resultName = resultPattern.exec(value)?.[1]
    if (resultName !== undefined) return copyResult(resultName, field, request)
    if (isUploadReference(value)) {
      const file = uploadBuffer.claim(value)
      if (file === undefined) throw new MediaRefused('invalid', field, 'has no file any more')
      return storeFile(file, kind, field, request)
    }
    const head = readDataUrlHead(value)
    if (head === undefined) return value
    const { length, type, base64 } = head
    return storeFile(
      await uploadBuffer.decodeDataUrl(type, value.slice(length), { base64 }),
      kind,
      field,
      request,
    )
  }

  /** Replaces every data URL and every attachment by a reference to a stored file. Throws `MediaRefused` and `QuotaExceeded`. */
  return async (input: Input, { owner, spellField = (field) => field }: Sender): Promise<StoredInput> => {
    const undo: Undo[] = []
    const discard = async () => {
      for (const undoStep of undo.splice(0).reverse()) await undoStep()
    }
    try {
      const request = { owner, undo }
      const storedInput = await replaceMedia(input, (value, kind, { field, path }) =>
        storeValue(value, kind, spellField(field) + path.slice(field.length), request),
      )
      return { input: storedInput, discard }
    } catch (cause) {
      // A file that cannot be removed now is removed with the other expired inputs.
      await discard().catch(() => undefined)
      throw cause
    }
  }
}

function toMediaRefused(
  { problem, limitBytes }: Exclude<DecodedFile, TempFile>,
  field: string,
): MediaRefused {
  if (problem === 'too large') {
    return new MediaRefused('too_large', field, `is larger than ${formatMegabytes(limitBytes)}`)
  }
  const messages = {
    'not base64': 'is not valid base64',
    'cut short': 'is base64 that is cut short',
    empty: 'holds no bytes',
  }
  return new MediaRefused('invalid', field, messages[problem])
}
