import { rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { isMediaKind } from '../../catalogue/media-values/stored-reference.ts'
import {
  createUploadedFile,
  type UploadedFile,
  uploadReferenceOf,
} from '../../catalogue/media-values/uploaded-file.ts'
import { detectContentType } from '../formats/check-file.ts'
import type { TempDir } from '../storage/temp-dir.ts'
import { createTempFileWriter } from '../storage/temp-file-writer.ts'
import { createDataUrlDecoder, type DecodedFile } from './base64.ts'
import { type MediaLimits, maxBytesFor } from './media-limits.ts'

export type UploadBuffer = ReturnType<typeof createUploadBuffer>

/** The text of a data URL. */
export type DataUrlUpload = BufferedUpload<string> & {
  /** Takes plain base64 as bytes. Returns how many it took; the others are for `write`. */
  writeBytes(chunk: Buffer): Promise<number>
}

/** The content of a media field while its request is still arriving: it goes to a temporary file. */
export type BufferedUpload<Chunk> = {
  write(chunk: Chunk): Promise<void>
  /** The whole file; a file that cannot be used is refused when its field is read. */
  end(): Promise<UploadedFile>
  /** Removes what has been written. */
  discard(): Promise<void>
}

/** Temporary files of requests that are still arriving or being checked, until somebody claims or drops them. */
export function createUploadBuffer({ tempDir, limits }: { tempDir: TempDir; limits: MediaLimits }) {
  const files = new Map<string, DecodedFile>()

  async function addFile(declaredType: string, decodedFile: DecodedFile): Promise<UploadedFile> {
    const file = createUploadedFile(await detectMediaType(declaredType, decodedFile))
    files.set(uploadReferenceOf(file), decodedFile)
    return file
  }

  return {
    /** Takes the encoded content of a data URL. */
    async receiveDataUrl(declaredType: string, { base64 } = { base64: true }): Promise<DataUrlUpload> {
      const decoder = await createDataUrlDecoder(tempDir, maxBytesFor(limits, declaredType), { base64 })
      return {
        write: decoder.write,
        writeBytes: (chunk) => decoder.writeBytes(chunk),
        end: async () => addFile(declaredType, await decoder.end()),
        discard: decoder.discard,
      }
    },

    /** Takes the bytes of a file. */
    async receiveFile(declaredType: string): Promise<BufferedUpload<Buffer>> {
      const limitBytes = maxBytesFor(limits, declaredType)
      const writer = await createTempFileWriter(tempDir, limitBytes)
      return {
        write: writer.write,
        async end() {
          if (writer.isTooLarge()) return addFile(declaredType, { problem: 'too large', limitBytes })
          const file = await writer.end()
          if (file.bytes > 0) return addFile(declaredType, file)
          await writer.discard()
          return addFile(declaredType, { problem: 'empty', limitBytes })
        },
        discard: writer.discard,
      }
    },

    /** Hands over the temporary file of an uploaded file, or of a reference to one; once. */
    claim(file: UploadedFile | string): DecodedFile | undefined {
      const reference = typeof file === 'string' ? file : uploadReferenceOf(file)
      const decodedFile = files.get(reference)
      files.delete(reference)
      return decodedFile
    },

    /** What distinguishes the content of an uploaded file from others. */
    fingerprintOf(file: UploadedFile): string | undefined {
      const decodedFile = files.get(uploadReferenceOf(file))
      return decodedFile && ('hash' in decodedFile ? decodedFile.hash : decodedFile.problem)
    },

    /** Decodes a data URL that is at hand. */
    async decodeDataUrl(
      declaredType: string,
      text: string,
      encoding = { base64: true },
    ): Promise<DecodedFile> {
      const decoder = await createDataUrlDecoder(tempDir, maxBytesFor(limits, declaredType), encoding)
      await decoder.write(text)
      return decoder.end()
    },

    /** Removes the files of a request that nobody claimed, as soon as its reply is closed. */
    discardAfter(reply: Writable, files: readonly UploadedFile[]): void {
      // A client that disconnected meanwhile sends no further event.
      if (reply.closed) void this.discard(files)
      else reply.once('close', () => void this.discard(files))
    },

    /** Removes the files of a request that nobody claimed. */
    async discard(files: readonly UploadedFile[]): Promise<void> {
      for (const file of files) {
        const decodedFile = this.claim(file)
        if (decodedFile !== undefined) await removeTempFile(decodedFile)
      }
    },
  }
}

/** Clients often declare no type, or that of a text: the bytes decide then. */
async function detectMediaType(declaredType: string, decodedFile: DecodedFile): Promise<string> {
  if (isMediaKind(declaredType.split('/')[0]?.trim().toLowerCase() ?? '') || !('path' in decodedFile))
    return declaredType
  return (await detectContentType(decodedFile.path)) ?? declaredType
}

async function removeTempFile(decodedFile: DecodedFile): Promise<void> {
  // A file that cannot be removed now is removed with the other old temporary files.
  if ('path' in decodedFile) await rm(decodedFile.path, { force: true }).catch(() => undefined)
}
