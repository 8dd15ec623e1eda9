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
import type { S3Settings } from '../../config/storage-settings.ts'
import type { ByteRange, FileStore } from './file-store.ts'
import { StorageUnavailable, wrapStorageErrors } from './storage-fault.ts'

/** Memory that one upload takes: this many parts of this size are on their way at once. */
const uploadPartBytes = 8 * 1024 * 1024
const maxConcurrentParts = 2
/** A bucket that takes a file byte by byte is never silent. */
const maxUploadMs = 6 * 3_600_000
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
      // Many S3-compatible servers do not support the newer checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
  const writeClient = createClient({ socketTimeout: timeoutMs })
  // A client that pauses a video reads nothing: only the start of a reply has a time limit.
  const readClient = createClient({ requestTimeout: timeoutMs })
  const describeOperation = (verb: string, name: string) => `${verb} ${name} in the bucket ${Bucket}`

  async function upload(name: string, path: string, callerSignal?: AbortSignal): Promise<void> {
    const timeoutSignal = AbortSignal.timeout(maxUploadMs)
    const signal = callerSignal === undefined ? timeoutSignal : AbortSignal.any([callerSignal, timeoutSignal])
    const { size } = await stat(path)
    const Body = createReadStream(path)
    const params = { Bucket, Key: name, Body }
    try {
      // Parts of a failed upload are removed from the bucket: `leavePartsOnError` is off.
      const multipartUpload = new Upload({
        client: writeClient,
        params,
        partSize: uploadPartBytes,
        queueSize: maxConcurrentParts,
        leavePartsOnError: false,
      })
      const abort = () => void multipartUpload.abort()
      if (signal.aborted) abort()
      signal.addEventListener('abort', abort, { once: true })
      await multipartUpload.done().finally(() => signal.removeEventListener('abort', abort))
    } finally {
      Body.destroy()
    }
    // A proxy in front of the bucket may reply 200 and store nothing.
    const head = await writeClient.send(new HeadObjectCommand({ Bucket, Key: name }))
    if (head.ContentLength !== size)
      throw new StorageUnavailable(`Cannot find ${name} in the bucket ${Bucket} after it was stored`)
    await rm(path, { force: true })
  }

  return {
    put: (name, path, signal) =>
      wrapStorageErrors(describeOperation('store', name), upload(name, path, signal)),

    async stat(name) {
      const head = writeClient.send(new HeadObjectCommand({ Bucket, Key: name })).catch(ignoreNotFound)
      const stored = await wrapStorageErrors(describeOperation('look up', name), head)
      if (stored === undefined) return undefined
      return { bytes: stored.ContentLength ?? 0, storedAt: stored.LastModified?.getTime() ?? 0 }
    },

    async open(name, range) {
      const request = readClient.send(new GetObjectCommand({ Bucket, Key: name, ...toRangeParameter(range) }))
      const { Body } = await wrapStorageErrors(describeOperation('read', name), request)
      if (!(Body instanceof Readable)) throw new TypeError(`the bucket answered ${name} without a stream`)
      return Body
    },

    async remove(name) {
      await wrapStorageErrors(
        describeOperation('remove', name),
        writeClient.send(new DeleteObjectCommand({ Bucket, Key: name })),
      )
    },

    async *list(folder) {
      const pages = paginateListObjectsV2({ client: writeClient }, { Bucket, Prefix: `${folder}/` })
      for (;;) {
        const page = await wrapStorageErrors(describeOperation('list', folder), pages.next())
        if (page.done === true) return
        for (const { Key: name, LastModified } of page.value.Contents ?? []) {
          if (name !== undefined) yield { name, storedAt: LastModified?.getTime() ?? 0 }
        }
      }
    },

    close() {
      writeClient.destroy()
      readClient.destroy()
    },
  }
}

function toRangeParameter(range: ByteRange | undefined) {
  return range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` }
}

/** A missing bucket is a fault, a missing file is not; a reply to HEAD has no body that would tell them apart. */
function ignoreNotFound(cause: unknown): undefined {
  if (cause instanceof S3ServiceException && cause.$metadata.httpStatusCode === 404) return undefined
  throw cause
}
