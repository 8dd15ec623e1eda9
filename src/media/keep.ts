import { rm } from 'node:fs/promises'
import type { Field, Input, MediaKind } from '../../providers/input.ts'
import type { Decoded } from './base64.ts'
import { judge, typeOf } from './check.ts'
import { readDataUrlHead } from './data-url.ts'
import type { InputUses } from './input-uses.ts'
import type { Library } from './library.ts'
import { inMegabytes, type Limits } from './limits.ts'
import type { Quota } from './quota.ts'
import { mapMedia, mediaIn, nameOf, refer } from './reference.ts'
import { MediaRefused } from './refusal.ts'
import { resultsFolder } from './results.ts'
import { inputsKeptMs } from './retention.ts'
import type { Scratch } from './scratch.ts'
import { createSink, type LocalFile } from './sink.ts'
import type { Spool } from './spool.ts'
import type { FileStore } from './store.ts'
import { isUploadReference } from './uploaded-file.ts'

const attachment = /^attachment:(.+)$/s
/** Only our own routes put this into an input. */
const result = /^result:([\w-]+\.mp4)$/

/** A file that is stored already is stored again after this long, so that its age tells when it was last used. */
const freshMs = 3_600_000

type Deps = {
  store: FileStore
  scratch: Scratch
  spool: Spool
  library: Library
  limits: Limits
  uses: InputUses
  quota: Quota
}

/** Whose request it is, and how it spells a field where it does not use our own name. */
export type Sender = { owner: string; spell?(field: Field): string }

/** `forget`: takes back what was stored for this request alone. To be called when no job came of it. */
export type Kept = { input: Input; forget(): Promise<void> }

/** Whether an input has files that would have to be stored. */
export function bringsFiles(input: Input): boolean {
  return mediaIn(input).some(
    ({ value }) =>
      isUploadReference(value) ||
      attachment.test(value) ||
      result.test(value) ||
      readDataUrlHead(value) !== undefined,
  )
}

/** Stores what a request brings by the hash of its content; the job then holds references only. */
export function createKeeper({ store, scratch, spool, library, limits, uses, quota }: Deps) {
  type Undo = () => Promise<void>
  type Request = { owner: string; undo: Undo[] }

  /** Throws `MediaRefused`. */
  async function keepFile(
    decoded: Decoded,
    kind: MediaKind,
    field: string,
    request: Request,
  ): Promise<string> {
    if ('refused' in decoded) throw refusalOf(decoded, field)
    try {
      const { hash, bytes, path } = decoded
      if (bytes > limits[kind]) throw refusalOf({ refused: 'too large', limitBytes: limits[kind] }, field)
      const verdict = await judge(path, kind)
      if ('wrong' in verdict) throw new MediaRefused(verdict.reason, field, verdict.wrong)
      await put(decoded, request)
      return refer({ hash, bytes, contentType: verdict.contentType })
    } finally {
      await rm(decoded.path, { force: true })
    }
  }

  async function put(file: LocalFile, request: Request): Promise<void> {
    if (await isStored(file, request)) return
    await store.take(nameOf(file), file.path)
  }

  /** Counts the file for its sender, and tells whether it needs no storing. */
  async function isStored({ hash, bytes }: Omit<LocalFile, 'path'>, { owner, undo }: Request) {
    const name = nameOf({ hash })
    const counted = { owner, name, bytes }
    if (await quota.take(counted, inputsKeptMs)) undo.push(() => quota.giveBack(counted))
    await uses.add(hash)
    undo.push(() => uses.drop(hash, () => store.remove(name)))
    const known = await store.stat(name)
    if (known === undefined) await uses.markNew(hash)
    return known?.bytes === bytes && Date.now() - known.storedAt < freshMs
  }

  /** A job has a copy of its own, so that an attachment may be deleted while it runs. */
  async function keepAttachment(
    id: string,
    kind: MediaKind,
    field: string,
    request: Request,
  ): Promise<string> {
    const found = await library.find(id, request.owner)
    if (found === undefined)
      throw new MediaRefused('invalid', field, `names no attachment of yours: ${id.slice(0, 60)}`)
    if (found.kind !== kind)
      throw new MediaRefused(
        'invalid',
        field,
        `names an attachment that is a ${found.kind} file, not ${kind}`,
      )
    const { hash, bytes, contentType } = found
    const held = { hash, bytes, contentType }
    if (await isStored(held, request)) return refer(held)
    const sink = await createSink(scratch, bytes)
    try {
      for await (const piece of await library.open(found)) await sink.write(piece as Buffer)
      await store.take(nameOf(held), (await sink.end()).path)
      return refer(held)
    } finally {
      await sink.drop()
    }
  }

  /** A job that goes on from a finished video has a copy of it, so that the video may be deleted meanwhile. */
  async function keepResult(file: string, field: string, request: Request): Promise<string> {
    const name = `${resultsFolder}/${file}`
    const found = await store.stat(name)
    if (found === undefined)
      throw new MediaRefused('invalid', field, 'names a video that is not kept any more')
    const sink = await createSink(scratch, found.bytes)
    try {
      for await (const piece of await store.open(name)) await sink.write(piece as Buffer)
      const copy = await sink.end()
      const contentType = (await typeOf(copy.path)) ?? 'video/mp4'
      await put(copy, request)
      return refer({ ...copy, contentType })
    } finally {
      await sink.drop()
    }
  }

  async function keepValue(value: string, kind: MediaKind, field: string, request: Request): Promise<string> {
    const attached = attachment.exec(value)?.[1]
    if (attached !== undefined) return keepAttachment(attached, kind, field, request)
    const made = result.exec(value)?.[1]
    if (made !== undefined) return keepResult(made, field, request)
    if (isUploadReference(value)) {
      const decoded = spool.claim(value)
      if (decoded === undefined) throw new MediaRefused('invalid', field, 'has no file any more')
      return keepFile(decoded, kind, field, request)
    }
    const head = readDataUrlHead(value)
    if (head === undefined) return value
    const { length, type, base64 } = head
    return keepFile(await spool.decode(type, value.slice(length), { base64 }), kind, field, request)
  }

  /** Replaces every data URL and every attachment by a reference to a stored file. Throws `MediaRefused` and `QuotaExceeded`. */
  return async (input: Input, { owner, spell = (field) => field }: Sender): Promise<Kept> => {
    const undo: Undo[] = []
    const forget = async () => {
      for (const step of undo.splice(0).reverse()) await step()
    }
    try {
      const request = { owner, undo }
      const kept = await mapMedia(input, (value, kind, { field, path }) =>
        keepValue(value, kind, spell(field) + path.slice(field.length), request),
      )
      return { input: kept, forget }
    } catch (cause) {
      // What cannot be removed now goes with the other old inputs.
      await forget().catch(() => undefined)
      throw cause
    }
  }
}

function refusalOf({ refused, limitBytes }: Exclude<Decoded, LocalFile>, field: string): MediaRefused {
  if (refused === 'too large') {
    return new MediaRefused('too_large', field, `is larger than ${inMegabytes(limitBytes)}`)
  }
  const wrong = {
    'not base64': 'is not valid base64',
    'cut short': 'is base64 that is cut short',
    empty: 'holds no bytes',
  }
  return new MediaRefused('invalid', field, wrong[refused])
}
