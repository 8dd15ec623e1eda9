/** One field of an upstream's endpoint, as its reference lists it. `type` may name several, split by `|`. */
export type FieldShape = {
  type: string
  enum?: readonly unknown[]
  min?: number
  max?: number
  required?: true
}

/** Everything about a body that its endpoint would not take. */
export function misshapen(body: unknown, shape: Readonly<Record<string, FieldShape>>): readonly string[] {
  if (typeOf(body) !== 'object') return ['the body is no object']
  const fields = Object.entries(body as Record<string, unknown>)
  const missing = Object.entries(shape)
    .filter(([name, { required }]) => required && !fields.some(([given]) => given === name))
    .map(([name]) => `${name} is missing`)
  return [...missing, ...fields.flatMap(([name, value]) => wrongWith(name, value, shape[name]))]
}

function wrongWith(name: string, value: unknown, shape: FieldShape | undefined): readonly string[] {
  if (shape === undefined) return [`${name} is not a field of the endpoint`]
  const types = shape.type.split('|')
  const type = typeOf(value)
  if (!types.includes(type) && !(type === 'integer' && types.includes('number'))) {
    return [`${name} is ${type}, not ${shape.type}`]
  }
  if (shape.enum !== undefined && !shape.enum.includes(value))
    return [`${name} cannot be ${JSON.stringify(value)}`]
  if (typeof value === 'number' && (value < (shape.min ?? -Infinity) || value > (shape.max ?? Infinity))) {
    return [`${name} is out of bounds: ${value}`]
  }
  return []
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}
