import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import type { FileStore, Range } from './store.ts'

export type S3Settings = {
  bucket: string
  region: string
  /** Absent: Amazon's own. */
  endpoint?: string
  /** Absent: where the SDK finds them, as on a machine with a role. */
  credentials?: { accessKeyId: string; secretAccessKey: string }
  forcePathStyle: boolean
}

/** Memory that one upload takes: this many parts of this size are on their way at once. */
const partBytes = 8 * 1024 * 1024
const partsAtOnce = 2

/** Files in a bucket of anything that speaks S3. */
export function createS3Store({ bucket: Bucket, ...settings }: S3Settings): FileStore {
  const client = new S3Client({
    ...settings,
    // Many servers other than Amazon's do not know the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })

  return {
    async take(name, path) {
      const params = { Bucket, Key: name, Body: createReadStream(path) }
      await new Upload({ client, params, partSize: partBytes, queueSize: partsAtOnce }).done()
      await rm(path, { force: true })
    },

    async stat(name) {
      const found = await client.send(new HeadObjectCommand({ Bucket, Key: name })).catch(unlessAbsent)
      if (found === undefined) return undefined
      return { bytes: found.ContentLength ?? 0, storedAt: found.LastModified?.getTime() ?? 0 }
    },

    async open(name, range) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: name, ...spell(range) }))
      if (!(Body instanceof Readable)) throw new TypeError(`the bucket answered ${name} without a stream`)
      return Body
    },

    async remove(name) {
      await client.send(new DeleteObjectCommand({ Bucket, Key: name }))
    },

    async *list(folder) {
      for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: `${folder}/` })) {
        for (const { Key: name, LastModified } of page.Contents ?? []) {
          if (name !== undefined) yield { name, storedAt: LastModified?.getTime() ?? 0 }
        }
      }
    },

    close: () => client.destroy(),
  }
}

function spell(range: Range | undefined) {
  return range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` }
}

function unlessAbsent(cause: unknown): undefined {
  if (cause instanceof S3ServiceException && cause.$metadata.httpStatusCode === 404) return undefined
  throw cause
}
