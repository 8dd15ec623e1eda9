import type { FieldSchema } from '../schema.ts'

export const string = { type: 'string' } as const
export const boolean = { type: 'boolean' } as const
export const integer = { type: 'integer' } as const
export const number = { type: 'number' } as const
export const prompt = { type: 'string', required: true } as const
export const image = { type: 'media', required: true } as const
export const optionalImage = { type: 'media' } as const
export const link = { type: 'media', required: true } as const

export function oneOf(...values: readonly string[]): FieldSchema {
  return { type: 'string', enum: values }
}
