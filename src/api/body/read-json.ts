import { isUtf8 } from 'node:buffer'
import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { UploadedFile } from '../../catalogue/media-values/uploaded-file.ts'
import { ApiError } from '../errors.ts'
import {
  type BodyDeps,
  bodyTooSlowError,
  createArrivalCounter,
  discardBody,
  freeMemory,
  incompleteBodyError,
} from './body-arrival.ts'
import type { Reservation } from './body-budget.ts'
import { checkBody } from './body-check.ts'
import { extractFile } from './extract-file.ts'
import { invalidJsonError, notUtf8Error, tooManyFilesError } from './json-limits.ts'
import { withExactNumbers } from './json-numbers.ts'
import { createJsonReader } from './json-reader.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** NUL characters and unpaired surrogates in the body are removed instead of rejected. */
    cleanBody?: boolean
  }
}

export type BodyDone = (error: Error | null, body?: unknown) => void

/** Smaller bodies are parsed at once. */
export const smallBodyBytes = 64 * 1024

/** Reads bodies of JSON: small ones whole, large ones piece by piece, with the files in media fields written to disk. */
export function createJsonBodyReader({ uploadBuffer, limits, budget }: Omit<BodyDeps, 'bodyLimitBytes'>) {
  function parse(request: FastifyRequest, bytes: Buffer): unknown {
    if (!isUtf8(bytes)) throw notUtf8Error()
    const text = bytes.toString('utf8').replace(/^\uFEFF/, '')
    if (text.trim() === '') return undefined
    const body = parseText(request, text)
    return checkNumbersAndText(request, body) ? body : withExactNumbers(text, body)
  }

  /** Returns whether all numbers have been parsed exactly. */
  function checkNumbersAndText(request: FastifyRequest, body: unknown): boolean {
    const cleanAll = request.routeOptions.config.cleanBody === true
    return checkBody(body, { limits: limits.json, cleanAll })
  }

  /** With events, as an async iterator costs twice as much. */
  function readSmall(request: FastifyRequest, payload: Readable, bytes: number, done: BodyDone): void {
    const reservation = budget.reserve()
    const startedAt = Date.now()
    const pieces: Buffer[] = []
    let isDone = false
    const finish: BodyDone = (error, body) => {
      if (isDone) return
      isDone = true
      reservation.release()
      if (error !== null) discardBody(payload)
      done(error, body)
    }
    try {
      reservation.addMemory(bytes)
      reservation.addBody(bytes)
    } catch (cause) {
      finish(cause as Error)
      return
    }
    payload.on('data', (piece: Buffer) => {
      if (!isDone && pieces.push(piece) > 1 && Date.now() - startedAt > limits.stallMs)
        finish(bodyTooSlowError())
    })
    payload.once('error', (cause) => finish(incompleteBodyError(cause)))
    payload.once('end', () => {
      try {
        finish(null, parse(request, Buffer.concat(pieces)))
      } catch (cause) {
        finish(cause as Error)
      }
    })
  }

  async function readLarge(
    request: FastifyRequest,
    payload: Readable,
    reservation: Reservation,
    limitBytes: number,
  ): Promise<unknown> {
    const uploads: UploadedFile[] = []
    const reader = createJsonReader({
      limits: limits.json,
      reserve: reservation.addMemory,
      async extract(start) {
        if (uploads.length === limits.json.files) throw tooManyFilesError(limits.json.files)
        const extracted = await extractFile(uploadBuffer, start)
        return (
          extracted && {
            ...extracted,
            file: { ...extracted.file, end: async () => addUpload(await extracted.file.end()) },
          }
        )
      },
    })
    const addUpload = (file: UploadedFile) => {
      uploads.push(file)
      return file
    }
    try {
      const countBytes = createArrivalCounter({ request, reservation, limits, limitBytes })
      const smallBody = await readPieces(payload, countBytes, reader.write)
      if (smallBody !== undefined) return parse(request, smallBody)
      const body = reader.end()
      checkNumbersAndText(request, body)
      request.uploads = uploads
      return body
    } catch (cause) {
      reservation.release()
      await reader.drop()
      await uploadBuffer.discard(uploads)
      discardBody(payload)
      if (payload.readableAborted) throw incompleteBodyError(cause)
      throw isNotJson(request, cause) ? unsupportedTypeError(request) : cause
    }
  }

  return { readSmall, readLarge }
}

/** Returns a small body; passes a larger one to `write` as it arrives. */
async function readPieces(
  payload: Readable,
  count: (bytes: number) => void,
  write: (piece: Buffer) => Promise<void>,
): Promise<Buffer | undefined> {
  let start: Buffer[] | undefined = []
  let startBytes = 0
  // The connection must survive an error, so that the reply arrives.
  for await (const piece of payload.iterator({ destroyOnReturn: false })) {
    count(piece.length)
    startBytes += piece.length
    if (start === undefined) await write(piece)
    else {
      start.push(piece)
      if (startBytes < smallBodyBytes) continue
      for (const chunk of start) await write(chunk)
      start = undefined
    }
    freeMemory(piece)
  }
  return start === undefined ? undefined : Buffer.concat(start)
}

function parseText(request: FastifyRequest, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const type = request.headers['content-type']
    throw isJsonType(type) || /^\s*[[{]/.test(text) ? invalidJsonError(cause) : unsupportedTypeError(request)
  }
}

function isNotJson(request: FastifyRequest, cause: unknown): boolean {
  return (
    cause instanceof ApiError && cause.code === 'invalid_json' && !isJsonType(request.headers['content-type'])
  )
}

function isJsonType(type: string | undefined): boolean {
  return type === undefined || /json/i.test(type)
}

function unsupportedTypeError({ headers }: FastifyRequest): ApiError {
  const type = headers['content-type']
  return new ApiError(
    'unsupported_media_type',
    `The body must be JSON, sent as application/json; got ${type}`,
  )
}
