import type { Input } from '../../../providers/input.ts'
import { shorten, utf8ByteLength } from '../../text/text-limits.ts'
import type { JobView, JobWork } from '../job.ts'

/** Reserved in a new record for what is written into it later. */
const reservedBytes = 4096
/** Minimum length of an error text that is shortened to fit the record. */
const minTextCharacters = 100

/** Thrown when a job's record would exceed the limit; nothing was written. */
export class RecordTooLarge extends Error {
  override name = 'RecordTooLarge'
  readonly bytes: number
  readonly maxBytes: number
  /** The largest field of the input; `undefined`: the input is empty. */
  readonly field: string | undefined
  readonly fieldBytes: number

  constructor(bytes: number, maxBytes: number, input: Input) {
    super(`the record of the job would have ${bytes} bytes`)
    this.bytes = bytes
    this.maxBytes = maxBytes
    const sizes = Object.entries(input).map(([field, value]) => ({
      field,
      bytes: utf8ByteLength(JSON.stringify(value)),
    }))
    const [largest] = sizes.sort((a, b) => b.bytes - a.bytes)
    this.field = largest?.field
    this.fieldBytes = largest?.bytes ?? 0
  }
}

/** Throws `RecordTooLarge` for a new record. `texts`: its fields. */
export function checkRecordSize(texts: readonly string[], input: Input, recordMaxBytes: number): void {
  const bytes = texts.reduce((sum, text) => sum + utf8ByteLength(text), 0)
  const maxBytes = recordMaxBytes - reservedBytes
  if (bytes > maxBytes) throw new RecordTooLarge(bytes, maxBytes, input)
}

type RecordFields = { view: JobView; work: JobWork }

/**
 * Shortens the error texts of a transition if its record would be too large. It never throws: a record may stay larger, because links to results are kept
 * whatever their length, and older versions accepted larger inputs.
 */
export function shrinkRecord(
  { view, work }: RecordFields,
  input: Input,
  recordMaxBytes: number,
): RecordFields {
  const { error } = view
  const { storeFault } = work
  if (error === undefined && storeFault === undefined) return { view, work }
  const usedBytes =
    utf8ByteLength(JSON.stringify(view)) +
    utf8ByteLength(JSON.stringify(work)) +
    utf8ByteLength(JSON.stringify(input))
  const excessBytes = usedBytes - recordMaxBytes
  if (excessBytes <= 0) return { view, work }
  // A character has at least one byte in JSON, so cutting `excessBytes` characters is enough.
  const cut = (text: string) => shorten(text, Math.max(minTextCharacters, text.length - excessBytes))
  return {
    view: error === undefined ? view : { ...view, error: { ...error, message: cut(error.message) } },
    work:
      storeFault === undefined
        ? work
        : { ...work, storeFault: { ...storeFault, store: shorten(storeFault.store, minTextCharacters) } },
  }
}
