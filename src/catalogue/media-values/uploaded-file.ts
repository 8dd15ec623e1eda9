import { randomUUID } from 'node:crypto'

/**
 * A file that came inside a request body and lies in a temporary file by now. It stands in the body where the client sent the file. No text
 * can be taken for one: only `createUploadedFile` makes them, and the set of those it made decides.
 */
export type UploadedFile = {
  /** Media type as declared by the client or else recognized by its bytes; empty: neither is known. */
  readonly type: string
}

/** References to uploaded files, as media fields of a validated input hold them. Validation accepts no such text from a client. */
const references = new WeakMap<UploadedFile, string>()

/** An error text that quotes the value of a field shows this. */
const quotedAs = { toJSON: () => 'uploaded file' }

export function createUploadedFile(type: string): UploadedFile {
  const file: UploadedFile = Object.freeze(
    Object.create(quotedAs, { type: { value: type, enumerable: true } }) as UploadedFile,
  )
  references.set(file, `upload:${randomUUID()}`)
  return file
}

export function isUploadedFile(value: unknown): value is UploadedFile {
  return typeof value === 'object' && value !== null && references.has(value as UploadedFile)
}

/** What the media field of an `Input` holds for the file until it is stored. */
export function uploadReferenceOf(file: UploadedFile): string {
  return references.get(file) ?? ''
}

export function isUploadReference(value: string): boolean {
  return value.startsWith('upload:')
}
