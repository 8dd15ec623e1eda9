import { rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { createDecoder, type Decoded } from './base64.ts'
import { typeOf } from './check.ts'
import { isKind, type Limits, limitOf } from './limits.ts'
import type { Scratch } from './scratch.ts'
import { createSink } from './sink.ts'
import { createUploadedFile, referenceOf, type UploadedFile } from './uploaded-file.ts'

export type Spool = ReturnType<typeof createSpool>

/** The text of a data URL. */
export type EncodedUpload = Upload<string> & {
  /** Takes plain base64 as bytes. Returns how many it took; the others are for `write`. */
  writeBytes(piece: Buffer): Promise<number>
}

/** The content of a media field while its request is still arriving: it goes to a temporary file. */
export type Upload<Piece> = {
  write(piece: Piece): Promise<void>
  /** The whole file; a file that cannot be used is refused when its field is read. */
  end(): Promise<UploadedFile>
  /** Removes what has been written. */
  drop(): Promise<void>
}

/** Temporary files of requests that are still arriving or being checked, until somebody claims or drops them. */
export function createSpool({ scratch, limits }: { scratch: Scratch; limits: Limits }) {
  const held = new Map<string, Decoded>()

  async function keep(declared: string, decoded: Decoded): Promise<UploadedFile> {
    const file = createUploadedFile(await mediaType(declared, decoded))
    held.set(referenceOf(file), decoded)
    return file
  }

  return {
    /** Takes the encoded content of a data URL. */
    async divert(declared: string, { base64 } = { base64: true }): Promise<EncodedUpload> {
      const decoder = await createDecoder(scratch, limitOf(limits, declared), { base64 })
      return {
        write: decoder.write,
        writeBytes: (piece) => decoder.writeBytes(piece),
        end: async () => keep(declared, await decoder.end()),
        drop: decoder.drop,
      }
    },

    /** Takes the bytes of a file. */
    async receive(declared: string): Promise<Upload<Buffer>> {
      const limitBytes = limitOf(limits, declared)
      const sink = await createSink(scratch, limitBytes)
      return {
        write: sink.write,
        async end() {
          if (sink.isTooLarge()) return keep(declared, { refused: 'too large', limitBytes })
          const file = await sink.end()
          if (file.bytes > 0) return keep(declared, file)
          await sink.drop()
          return keep(declared, { refused: 'empty', limitBytes })
        },
        drop: sink.drop,
      }
    },

    /** Hands over the temporary file of an uploaded file, or of a reference to one; once. */
    claim(file: UploadedFile | string): Decoded | undefined {
      const reference = typeof file === 'string' ? file : referenceOf(file)
      const decoded = held.get(reference)
      held.delete(reference)
      return decoded
    },

    /** What distinguishes the content of an uploaded file from others. */
    peek(file: UploadedFile): string | undefined {
      const decoded = held.get(referenceOf(file))
      return decoded && ('hash' in decoded ? decoded.hash : decoded.refused)
    },

    /** Decodes a data URL that is at hand. */
    async decode(declared: string, text: string, encoding = { base64: true }): Promise<Decoded> {
      const decoder = await createDecoder(scratch, limitOf(limits, declared), encoding)
      await decoder.write(text)
      return decoder.end()
    },

    /** Removes the files of a request that nobody claimed, as soon as its reply is closed. */
    dropAfter(reply: Writable, files: readonly UploadedFile[]): void {
      // A client that has left meanwhile is not heard of again.
      if (reply.closed) void this.drop(files)
      else reply.once('close', () => void this.drop(files))
    },

    /** Removes the files of a request that nobody claimed. */
    async drop(files: readonly UploadedFile[]): Promise<void> {
      for (const file of files) {
        const decoded = this.claim(file)
        if (decoded !== undefined) await discard(decoded)
      }
    },
  }
}

/** Clients often declare no type, or that of a text: the bytes decide then. */
async function mediaType(declared: string, decoded: Decoded): Promise<string> {
  if (isKind(declared.split('/')[0]?.trim().toLowerCase() ?? '') || !('path' in decoded)) return declared
  return (await typeOf(decoded.path)) ?? declared
}

async function discard(decoded: Decoded): Promise<void> {
  // What cannot be removed now goes with the other old temporary files.
  if ('path' in decoded) await rm(decoded.path, { force: true }).catch(() => undefined)
}
