import type { Field, Input, JsonObject } from '../../input.ts'

/** Those of the named fields that are set, under their own names. */
export function only(input: Input, ...names: readonly Field[]): JsonObject {
  return Object.fromEntries(
    names.filter((name) => input[name] !== undefined).map((name) => [name, input[name]]),
  )
}

export function isPortrait(input: Input): boolean {
  return input.aspect_ratio === '9:16'
}
