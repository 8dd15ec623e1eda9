import type { Field, Input, mediaFields, Operation } from '../../providers/input.ts'
import type { ProviderName } from '../../providers/provider.ts'

/** An operation of a model. The request names it, or its inputs imply it. */
export type Mode = Operation

/** A model is data: validation, schemas, prices and lists are derived from this entry. */
export type Model = {
  id: string
  name: string
  description: string
  ownedBy: string
  /** ISO date of the model's release, for the model lists. */
  released: string
  modes: readonly [Mode, ...Mode[]]
  fields: Readonly<Partial<Record<Field, FieldRule>>>
  price: Price
  /** The expected render time, until it has been measured. */
  typicalSeconds: number
  /** After this long an unfinished job fails with `timeout`. */
  deadlineSeconds: number
  /** The upstreams that render it, best first. */
  providers: readonly [ProviderName, ...ProviderName[]]
  /** Checks a condition between fields that a single rule cannot express; returns the violation. */
  check?(input: Input): Conflict | undefined
}

type Conflict = {
  field: Field
  message: string
  code?: 'pro_required'
  /** A value of the field that can be rendered with the others; null: the field must be absent. Absent: the request cannot be rendered. */
  instead?: string | number | boolean | null
}

/** The rule for a field of a model, with overrides per mode; `'unused'`: the mode ignores the field, with a warning. */
export type FieldRule = Rule & { readonly [M in Mode]?: Rule | 'unused' }

export type Rule = {
  /** `unless`: it is optional if one of these fields is given. */
  required?: true | { unless: readonly Field[] }
  /** The supported values. Another value becomes the closest of them, with a warning. */
  choices?: readonly (string | number)[]
  /** Bounds of a number, or of the length of a list. */
  min?: number
  max?: number
  /** Unicode code points. */
  maxLength?: number
  default?: string | number | boolean
  /** The only value, which is not sent to the upstream. Another value becomes this one, with a warning. */
  fixed?: string | number
}

/** In USD. The first of the `rates` whose conditions all hold applies. */
export type Price = {
  /** The source of the price, and the month in which it was valid. */
  source: string
  asOf: string
  /** `second`: times the billed seconds; `video`: once per job; `megapixel`: times the million pixels of all frames. */
  per: 'second' | 'video' | 'megapixel'
  rates: readonly [Rate, ...Rate[]]
  /** Billed seconds are at least this many … */
  minimumSeconds?: number
  /** … and a multiple of this. */
  stepSeconds?: number
  /** The fields with the billed seconds, the first given one applies; default: `duration`. */
  secondsFrom?: readonly Field[]
  /** Seconds to bill when none of those fields is given. */
  defaultSeconds?: number
  /** The seconds of these sources are billed too: the length that the caller states, else the default for each file. */
  sourceSeconds?: {
    media: readonly MediaField[]
    length: Field
    default: number
    /** Absent: as much as a second of the video. */
    usd?: number
  }
  /** Of a price per megapixel. */
  framesPerSecond?: number
  /** Added for each file of a list beyond those that are free. */
  perFile?: { field: MediaField; usd: number; free?: number }
}

type MediaField = keyof typeof mediaFields

export type Rate = {
  when?: Readonly<Partial<Record<Field, string | number | boolean>>>
  /** Fields that must be given, with any value. */
  given?: readonly Field[]
  mode?: Mode
  usd: number
}
