import { defaultTextLimits, type TextLimits } from '../text/text-limits.ts'
import type { Reader } from './reader.ts'

/** Limits of the JSON of one body, not counting files in media fields. */
export type JsonLimits = { bytes: number; values: number; depth: number }

/** Limits of all bodies that a process reads at the same time. */
export type BodyBudgetLimits = {
  /** Memory for the bodies of all requests of this process. */
  memoryBytes: number
  /** Bodies of all requests of this process, files included. */
  totalBytes: number
}

/** Limits of one request and of all requests of a process. `BODY_LIMIT_MB` is `config.bodyLimitBytes`. */
export type RequestLimits = {
  /** The largest body of a request whose caller has not been authenticated. */
  unauthenticatedBytes: number
  json: JsonLimits & { files: number }
  form: { fields: number; files: number }
  allBodies: BodyBudgetLimits
  connections: number
  /** How long a connection may make no progress while a request arrives or a response is sent. */
  stallMs: number
  /** The lowest average rate at which a body may arrive, once `stallMs` have passed. */
  bytesPerSecond: number
}

const kilobyte = 1024
const megabyte = 1024 * kilobyte

export const defaultRequestLimits: RequestLimits = {
  unauthenticatedBytes: 64 * kilobyte,
  json: { bytes: megabyte, values: 10_000, depth: 64, files: 64 },
  form: { fields: 200, files: 8 },
  allBodies: { memoryBytes: 32 * megabyte, totalBytes: 1024 * megabyte },
  connections: 10_000,
  stallMs: 25_000,
  bytesPerSecond: kilobyte,
}

export function readRequestLimits(read: Reader): RequestLimits {
  const { unauthenticatedBytes, json, form, allBodies, connections, stallMs, bytesPerSecond } =
    defaultRequestLimits
  return {
    unauthenticatedBytes:
      read.integer('UNAUTHENTICATED_BODY_LIMIT_KB', unauthenticatedBytes / kilobyte, 1, 1024) * kilobyte,
    json: {
      bytes: read.integer('JSON_LIMIT_KB', json.bytes / kilobyte, 64, 65_536) * kilobyte,
      values: read.integer('JSON_MAX_VALUES', json.values, 100, 10_000_000),
      depth: read.integer('JSON_MAX_DEPTH', json.depth, 8, 1000),
      files: read.integer('JSON_MAX_FILES', json.files, 1, 10_000),
    },
    form: {
      fields: read.integer('FORM_MAX_FIELDS', form.fields, 1, 10_000),
      files: read.integer('FORM_MAX_FILES', form.files, 1, 1000),
    },
    allBodies: {
      memoryBytes: read.integer('MAX_BODY_MEMORY_MB', allBodies.memoryBytes / megabyte, 1, 65_536) * megabyte,
      totalBytes:
        read.integer('MAX_BODY_MB_IN_FLIGHT', allBodies.totalBytes / megabyte, 1, 1_000_000) * megabyte,
    },
    connections: read.integer('MAX_CONNECTIONS', connections, 1, 1_000_000),
    stallMs: read.integer('CONNECTION_STALL_SECONDS', stallMs / 1000, 1, 600) * 1000,
    bytesPerSecond: read.integer('BODY_MIN_BYTES_PER_SECOND', bytesPerSecond, 0, 1_000_000),
  }
}

export function readTextLimits(read: Reader): TextLimits {
  const { linkMaxBytes, idMaxCharacters, listMaxItems, recordMaxBytes } = defaultTextLimits
  return {
    linkMaxBytes: read.integer('LINK_MAX_BYTES', linkMaxBytes, 256, 1_000_000),
    idMaxCharacters: read.integer('ID_MAX_CHARACTERS', idMaxCharacters, 36, 10_000),
    listMaxItems: read.integer('LIST_MAX_ITEMS', listMaxItems, 1, 10_000),
    recordMaxBytes: read.integer('RECORD_MAX_KB', recordMaxBytes / 1024, 16, 4096) * 1024,
  }
}
