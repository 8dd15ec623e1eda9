import { createReadStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
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
import { StorageUnavailable, storing } from './storage-fault.ts'
import type { FileStore, Range } from './store.ts'

export type S3Settings = {
  bucket: string
  region: string
  /** Absent: Amazon's own. */
  endpoint?: string
  /** Absent: where the SDK finds them, as on a machine with a role. */
  credentials?: { accessKeyId: string; secretAccessKey: string }
  forcePathStyle: boolean
  /** How long a connection may take, and how long one may be silent. A transfer that goes on may take any time. */
  timeoutMs: number
}

/** Memory that one upload takes: this many parts of this size are on their way at once. */
const partBytes = 8 * 1024 * 1024
const partsAtOnce = 2
/** A bucket that takes a file byte by byte is never silent. */
const longestUploadMs = 6 * 3_600_000
const maxSockets = 500
/** Jobs and clients try again by themselves, later. */
const maxAttempts = 2

/** Files in a bucket of anything that speaks S3. */
export function createS3Store({ bucket: Bucket, timeoutMs, ...settings }: S3Settings): FileStore {
  const createClient = (timeouts: { socketTimeout: number } | { requestTimeout: number }) =>
    new S3Client({
      ...settings,
      maxAttempts,
      requestHandler: {
        connectionTimeout: timeoutMs,
        throwOnRequestTimeout: true,
        httpAgent: { maxSockets },
        httpsAgent: { maxSockets },
        ...timeouts,
      },
      // Many servers other than Amazon's do not know the newer checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
  const client = createClient({ socketTimeout: timeoutMs })
  // A client that pauses a video makes its connection silent: only the start of a reply is bounded here.
  const reader = createClient({ requestTimeout: timeoutMs })
  const inBucket = (verb: string, name: string) => `${verb} ${name} in the bucket ${Bucket}`

  async function upload(name: string, path: string, aborted?: AbortSignal): Promise<void> {
    const tooLong = AbortSignal.timeout(longestUploadMs)
    const signal = aborted === undefined ? tooLong : AbortSignal.any([aborted, tooLong])
    const { size } = await stat(path)
    const Body = createReadStream(path)
    const params = { Bucket, Key: name, Body }
    try {
      // Parts of a failed upload are removed from the bucket: `leavePartsOnError` is off.
      const sending = new Upload({
        client,
        params,
        partSize: partBytes,
        queueSize: partsAtOnce,
        leavePartsOnError: false,
      })
      const abort = () => void sending.abort()
      if (signal.aborted) abort()
      signal.addEventListener('abort', abort, { once: true })
      await sending.done().finally(() => signal.removeEventListener('abort', abort))
    } finally {
      Body.destroy()
    }
    // A proxy in front of the bucket may reply 200 and store nothing.
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: name }))
    if (head.ContentLength !== size)
      throw new StorageUnavailable(`Cannot find ${name} in the bucket ${Bucket} after it was stored`)
    await rm(path, { force: true })
  }

  return {
    take: (name, path, signal) => storing(inBucket('store', name), upload(name, path, signal)),

    async stat(name) {
      const head = client.send(new HeadObjectCommand({ Bucket, Key: name })).catch(unlessAbsent)
      const found = await storing(inBucket('look up', name), head)
      if (found === undefined) return undefined
      return { bytes: found.ContentLength ?? 0, storedAt: found.LastModified?.getTime() ?? 0 }
    },

    async open(name, range) {
      const get = reader.send(new GetObjectCommand({ Bucket, Key: name, ...spell(range) }))
      const { Body } = await storing(inBucket('read', name), get)
      if (!(Body instanceof Readable)) throw new TypeError(`the bucket answered ${name} without a stream`)
      return Body
    },

    async remove(name) {
      await storing(inBucket('remove', name), client.send(new DeleteObjectCommand({ Bucket, Key: name })))
    },

    async *list(folder) {
      const pages = paginateListObjectsV2({ client }, { Bucket, Prefix: `${folder}/` })
      for (;;) {
        const page = await storing(inBucket('list', folder), pages.next())
        if (page.done === true) return
        for (const { Key: name, LastModified } of page.value.Contents ?? []) {
          if (name !== undefined) yield { name, storedAt: LastModified?.getTime() ?? 0 }
        }
      }
    },

    close() {
      client.destroy()
      reader.destroy()
    },
  }
}

function spell(range: Range | undefined) {
  return range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` }
}

/** A missing bucket is a fault, a missing file is not; a reply to HEAD has no body that would tell them apart. */
function unlessAbsent(cause: unknown): undefined {
  if (cause instanceof S3ServiceException && cause.$metadata.httpStatusCode === 404) return undefined
  throw cause
}
