type Schema = Readonly<Record<string, unknown>>

/** Values out of JSON schemas, the same ones for the same seed. */
export function createRandom(seed: number, components: Readonly<Record<string, Schema>>) {
  let state = seed

  /** Mulberry32. */
  function next(): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  const chance = (share: number) => next() < share
  const whole = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))

  function pick<T>(values: readonly T[]): T {
    const value = values[whole(0, values.length - 1)]
    if (value === undefined && values.length === 0) throw new Error('nothing to pick from')
    return value as T
  }

  /** A value that the schema allows. */
  function draw(schema: Schema): unknown {
    const reference = /^#\/components\/schemas\/(.+)$/.exec(String(schema.$ref))?.[1]
    if (reference !== undefined) return draw(components[reference] ?? {})
    if (Array.isArray(schema.oneOf)) return draw(pick(schema.oneOf))
    if (Array.isArray(schema.enum)) return pick(schema.enum)
    const type = Array.isArray(schema.type) ? pick(schema.type) : schema.type
    const { minimum = 0, maximum = 100 } = schema as { minimum?: number; maximum?: number }
    if (type === 'integer') return whole(minimum, maximum)
    if (type === 'number') return minimum + next() * (maximum - minimum)
    if (type === 'boolean') return chance(0.5)
    if (type === 'array')
      return Array.from({ length: whole(0, 3) }, () => draw((schema.items ?? {}) as Schema))
    if (type === 'object') return objectOf(schema)
    return schema.format === 'uri' ? pick(links) : pick(texts)
  }

  function objectOf({
    properties = {},
    required = [],
  }: {
    properties?: Record<string, Schema>
    required?: string[]
  }) {
    const names = Object.keys(properties).filter((name) => required.includes(name) || chance(0.4))
    return Object.fromEntries(names.map((name) => [name, draw(properties[name] ?? {})]))
  }

  /** The same, usually with an error in it. */
  function spoil(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || chance(0.1)) return pick(oddities)
    const entries = Object.entries(value)
    const at = whole(0, Math.max(entries.length - 1, 0))
    if (chance(0.2)) return Object.fromEntries(entries.filter((_, index) => index !== at))
    if (chance(0.2)) return { ...value, [pick(texts)]: pick(oddities) }
    return Object.fromEntries(
      entries.map(([name, old], index) => [name, index === at ? pick(oddities) : old]),
    )
  }

  return { chance, pick, draw, spoil }
}

export type Random = ReturnType<typeof createRandom>

const texts = [
  'a boat',
  '5',
  '720p',
  '16:9',
  'https://pictures.example/boat.png',
  '',
  ' ',
  '../../etc',
  '💥',
  'x'.repeat(3000),
]

const links = ['https://pictures.example/boat.png', 'http://127.0.0.1:1/boat.mp4']

const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const oddities: readonly unknown[] = [
  ...[null, true, 0, -1, 1.5, 1e308, 2 ** 53, '', '\u0000', 'NaN', [], {}, [[]], { url: 5 }, ['a', null]],
  ...[
    pixel,
    'data:image/png;base64,!!!',
    'file:///etc/passwd',
    '__proto__',
    'constructor',
    { a: { b: { c: [] } } },
  ],
]
