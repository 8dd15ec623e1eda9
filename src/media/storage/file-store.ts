import type { FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'

/** Offsets of the first and the last byte. */
export type ByteRange = { start: number; end: number }

/** Where files lie for good. Names are `<folder>/<file>`, made by us alone. */
export type FileStore = {
  /** Moves a finished local file in: wholly or not at all. Replaces what had the name. What takes long ends with `signal`. */
  put(name: string, path: string, signal?: AbortSignal): Promise<void>
  /** `undefined`: there is no such file. Times are unix milliseconds. */
  stat(name: string): Promise<{ bytes: number; storedAt: number } | undefined>
  /** Rejects where there is no such file. */
  open(name: string, range?: ByteRange): Promise<Readable>
  /** The same where files lie on this machine. */
  openLocal?(name: string): Promise<FileHandle>
  remove(name: string): Promise<void>
  list(folder: string): AsyncIterable<{ name: string; storedAt: number }>
  close(): void
}
