/** The most that the JSON of one body may contain, not counting files in media fields. */
export type JsonLimits = { bytes: number; values: number; depth: number }

export type BodyBudgetLimits = {
  /** Memory for the bodies of all requests of this process. */
  memoryBytes: number
  /** Bodies of all requests of this process, files included. */
  totalBytes: number
}

/** What one request, and all requests of a process together, may take. `BODY_LIMIT_MB` is `config.bodyLimitBytes`. */
export type RequestLimits = {
  /** The largest body of a request whose caller has not been authenticated. */
  unauthenticatedBytes: number
  json: JsonLimits & { files: number }
  form: { fields: number; files: number }
  allBodies: BodyBudgetLimits
  connections: number
  /** How long a connection may make no progress while a request arrives or a reply is sent. */
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
