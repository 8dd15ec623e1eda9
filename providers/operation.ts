import type { Field, Input, Operation } from './input.ts'

const referenceFields = ['referenceImages', 'referenceVideos', 'referenceAudios'] as const satisfies Field[]

/**
 * The operation of an input, among those of a model: the one that the caller named, else the one that the inputs imply: a source video, else
 * references, else an image, else text only.
 */
export function operationOf(supported: readonly [Operation, ...Operation[]], input: Input): Operation {
  const named = supported.find((operation) => operation === input.operation)
  return named ?? impliedOperation(supported, (field) => input[field] !== undefined)
}

/** The operation that the given fields imply. */
export function impliedOperation(
  supported: readonly [Operation, ...Operation[]],
  isGiven: (field: Field) => boolean,
): Operation {
  const firstOf = (...candidates: readonly Operation[]) =>
    candidates.find((operation) => supported.includes(operation))
  const ofVideo = isGiven('video') || isGiven('targetVideo') ? firstOf('video', 'edit', 'extend') : undefined
  const ofReferences = referenceFields.some(isGiven) ? firstOf('reference') : undefined
  const ofImage = isGiven('image') ? firstOf('image') : undefined
  return ofVideo ?? ofReferences ?? ofImage ?? firstOf('text') ?? supported[0]
}
