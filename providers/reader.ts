/**
 * Takes the fields we know out of a body we do not trust. A path that leads nowhere, or to another type, reads as
 * `undefined`; nothing here throws.
 */
export function at(body: unknown, ...path: readonly (string | number)[]): unknown {
  let value = body
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<string | number, unknown>)[key]
  }
  return value
}

/** A non-empty string. */
export function text(body: unknown, ...path: readonly (string | number)[]): string | undefined {
  const value = at(body, ...path)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A finite number. */
export function number(body: unknown, ...path: readonly (string | number)[]): number | undefined {
  const value = at(body, ...path)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

export function flag(body: unknown, ...path: readonly (string | number)[]): boolean | undefined {
  const value = at(body, ...path)
  return typeof value === 'boolean' ? value : undefined
}

/** A list; anything else reads as an empty one. */
export function list(body: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const value = at(body, ...path)
  return Array.isArray(value) ? value : []
}

/** An absolute http(s) link. */
export function link(body: unknown, ...path: readonly (string | number)[]): string | undefined {
  const value = text(body, ...path)
  return value !== undefined && /^https?:\/\/[^\s]+$/.test(value) && URL.canParse(value) ? value : undefined
}
