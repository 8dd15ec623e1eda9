import type { Field, Input } from '../../providers/input.ts'
import type { ProviderName } from '../../providers/provider.ts'

/** What a request brings decides its mode: a source video, else an image, else speech alone, else words alone. */
export type Mode = 'text' | 'image' | 'video'

/** A model is data: everything that the gateway says or checks about it comes from this one entry. */
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
  /** How long a render usually takes; replaced by what is measured. */
  typicalSeconds: number
  /** After this long an unfinished job fails with `timeout`. */
  deadlineSeconds: number
  /** The upstreams that render it, best first. */
  providers: readonly [ProviderName, ...ProviderName[]]
  /** A condition between fields that no single rule can express; returns what is wrong. */
  check?(input: Input): Conflict | undefined
}

type Conflict = {
  field: Field
  message: string
  code?: 'pro_required'
  /** The value of the field that can be rendered with the others; null: none. Absent: the request cannot be rendered. */
  instead?: string | number | boolean | null
}

/** How a model takes a field, with other rules in a mode where they differ; `'unused'`: ignored there, with a warning. */
export type FieldRule = Rule & { readonly [M in Mode]?: Rule | 'unused' }

export type Rule = {
  /** `unless`: one of these fields may stand in for it. */
  required?: true | { unless: readonly Field[] }
  /** The values that can be rendered. Another one becomes the closest of them, with a warning. */
  choices?: readonly (string | number)[]
  /** Bounds of a number, or of how many entries a list has. */
  min?: number
  max?: number
  /** Unicode code points. */
  maxLength?: number
  default?: string | number | boolean
  /** The model has one value only and its upstream takes none: another one becomes it, with a warning. */
  fixed?: string | number
}

/** USD. `rates` are tried in order; the first whose conditions all hold gives the figure. */
export type Price = {
  /** Where the figure is from, in words, and the month it was true. */
  source: string
  asOf: string
  /** `second`: times the billed seconds; `video`: once a job. */
  per: 'second' | 'video'
  rates: readonly [Rate, ...Rate[]]
  /** Billed seconds are at least this many … */
  minimumSeconds?: number
  /** … and a multiple of this. */
  stepSeconds?: number
  /** Which field tells the seconds, first defined wins; `duration` when absent. */
  secondsFrom?: readonly Field[]
  /** Seconds to bill when none of those fields is given. */
  defaultSeconds?: number
}

export type Rate = {
  when?: Readonly<Partial<Record<Field, string | number | boolean>>>
  mode?: Mode
  usd: number
}
