import type { Input } from '../../../providers/input.ts'
import { shorten, utf8ByteLength } from '../../text/text-limits.ts'
import type { JobView, JobWork } from '../job.ts'

/** Kept free when a job is accepted, for what its upstream and we write into the record later. */
const reservedBytes = 4096
/** What is left of an error text where the record has no room for more. */
const minTextCharacters = 100

/** Thrown when a job's record would be larger than what Redis is to hold; nothing was written. */
export class RecordTooLarge extends Error {
  override name = 'RecordTooLarge'
  readonly bytes: number
  readonly maxBytes: number
  /** The field of the input that takes most of it; `undefined`: there is none. */
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

/** Throws `RecordTooLarge` for a new record. `texts`: what is stored of it. */
export function checkRecordSize(texts: readonly string[], input: Input, recordMaxBytes: number): void {
  const bytes = texts.reduce((sum, text) => sum + utf8ByteLength(text), 0)
  const maxBytes = recordMaxBytes - reservedBytes
  if (bytes > maxBytes) throw new RecordTooLarge(bytes, maxBytes, input)
}

type RecordFields = { view: JobView; work: JobWork }

/**
 * What a transition writes, with error texts shortened where the record would be too large otherwise. Never refuses: a record may stay larger,
 * since links to results are kept whatever their length, and older versions accepted larger inputs.
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
  // A character has at most six bytes in JSON, and at least one.
  const cut = (text: string) => shorten(text, Math.max(minTextCharacters, text.length - excessBytes))
  return {
    view: error === undefined ? view : { ...view, error: { ...error, message: cut(error.message) } },
    work:
      storeFault === undefined
        ? work
        : { ...work, storeFault: { ...storeFault, store: shorten(storeFault.store, minTextCharacters) } },
  }
}
