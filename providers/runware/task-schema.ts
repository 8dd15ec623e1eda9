import type { BodySchema } from '../schema.ts'

/** What one model takes; `sizes`: of a task that names width and height. */
export type RunwareSchema = {
  /** Fields beyond those of every video task. */
  fields: BodySchema
  sizes?: readonly string[]
  /** The same by resolution and ratio, where the names do not follow from the pixels. */
  sizeTable?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** `frame`: the frame decides, so a size beside one is rejected. `always`: required. */
  sizing: 'always' | 'never' | 'frame'
  /** Requires a first frame. */
  needsFrame?: true
  /** Whether reference images determine the size, as a frame does. */
  isSizedByReferences?: true
  /** Whether `inputs.frameImages` is taken. */
  takesFrames?: true
  /** Fields of `inputs` beside the frames. */
  inputs?: BodySchema
  /** Fields of `providerSettings`, below the name of the model's creator. */
  settings?: BodySchema
  /** The name below which `providerSettings` holds them, if it is not the creator's; null: they are in `settings`. */
  settingsBelow?: string | null
  /** Settings that exclude each other. */
  exclusive?: readonly string[]
  /** A setting that is rejected beside a frame. */
  withoutFrame?: string
}
