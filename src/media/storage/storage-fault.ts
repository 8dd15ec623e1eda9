type FaultDetails = { cause?: unknown; isFull?: boolean; isForbidden?: boolean }

/** No space, no quota left, or a file system that became read-only: nothing more can be written. */
const fullCodes = ['ENOSPC', 'EDQUOT', 'EROFS']

/**
 * Thrown when our own storage fails: the disk or bucket that keeps files, or the folder for temporary files. It is never the fault
 * of a client or an upstream. The message is for operators: it names the store, the operation and the code of the cause, no secret.
 */
export class StorageUnavailable extends Error {
  override name = 'StorageUnavailable'
  /** The disk has no space left for files. */
  readonly isFull: boolean
  /** The bucket denied the operation (HTTP 403). */
  readonly isForbidden: boolean

  constructor(message: string, { cause, isFull = false, isForbidden = false }: FaultDetails = {}) {
    super(message, { cause })
    this.isFull = isFull
    this.isForbidden = isForbidden
  }
}

/** Turns every rejection of `work` into `StorageUnavailable`. `operation` completes "Cannot …". */
export async function wrapStorageErrors<T>(operation: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw toStorageUnavailable(operation, cause)
  }
}

export function toStorageUnavailable(operation: string, cause: unknown): StorageUnavailable {
  if (cause instanceof StorageUnavailable) return cause
  const isFull = fullCodes.includes(codeOf(cause))
  const isForbidden = statusOf(cause) === 403
  return new StorageUnavailable(`Cannot ${operation}: ${codeOf(cause)}`, { cause, isFull, isForbidden })
}

/** Whether an error came from the operating system, as a failed read of a file does. */
export function isSystemError(cause: unknown): boolean {
  return cause instanceof Error && 'syscall' in cause && 'code' in cause
}

/** `ENOSPC`, `NoSuchBucket`, `TimeoutError`, …: the messages of some causes hold too much. */
function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown error'
  if ('code' in cause && typeof cause.code === 'string') return cause.code
  const status = statusOf(cause)
  return status === undefined ? cause.name : `${cause.name} (HTTP ${status})`
}

function statusOf(cause: unknown): number | undefined {
  const metadata: unknown = Reflect.get(Object(cause), '$metadata')
  const status: unknown = Reflect.get(Object(metadata), 'httpStatusCode')
  return typeof status === 'number' ? status : undefined
}
