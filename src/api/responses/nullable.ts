import { type Static, type TSchema, Type } from '@sinclair/typebox'

/** A schema that also allows `null`. */
export const Nullable = <T extends TSchema>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, nullable: true })
