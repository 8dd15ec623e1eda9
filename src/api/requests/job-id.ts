import { Type } from '@sinclair/typebox'
import { text } from '../../../providers/reader.ts'
import { createRandomId } from '../../text/random-id.ts'
import { ApiError } from '../errors.ts'

export function createJobId(): string {
  return `vid_${createRandomId()}`
}

/** The names under which clients send a job id, the first one present wins. */
const idFields = ['requestId', 'runId', 'id', 'request_id', 'run_id', 'taskId', 'task_id'] as const

const idPattern = /^[\w.:-]{1,128}$/

/** Path parameters of operations on one job. */
export const jobParams = Type.Object({ id: Type.String() })

export const jobIdSchema = {
  type: 'string',
  description: 'The job ID; also accepted as `runId`, `id` and `taskId`.',
}

/** The job id that a query or a body names; refuses two different ones, and what cannot be an id. */
export function readJobId(...sources: readonly unknown[]): string {
  return readJobIdNamed('runId', ...sources)
}

/** `documentedName`: the name that a missing ID is reported under. */
export function readJobIdNamed(
  documentedName: (typeof idFields)[number],
  ...sources: readonly unknown[]
): string {
  let first: { name: string; id: string } | undefined
  for (const source of sources) {
    for (const name of idFields) {
      for (const id of readValues(source, name)) {
        first ??= { name, id }
        if (id === first.id) continue
        const message = `\`${first.name}\` and \`${name}\` name two different jobs`
        throw new ApiError('invalid_parameter_value', message, { param: name })
      }
    }
  }
  if (first === undefined) {
    throw new ApiError('missing_required_parameter', `A job id is needed: \`${documentedName}\``, {
      param: documentedName,
    })
  }
  if (idPattern.test(first.id)) return first.id
  const message = `\`${first.name}\` is not a job id: letters, digits and _ - . : only, at most 128`
  throw new ApiError('invalid_parameter_value', message, { param: first.name })
}

/** A query may repeat a name. */
function readValues(source: unknown, name: string): readonly string[] {
  const value = typeof source === 'object' && source !== null ? Reflect.get(source, name) : undefined
  if (value === undefined) return []
  return [value]
    .flat()
    .map((entry) => text(entry)?.trim() ?? '')
    .filter((id) => id !== '')
}
