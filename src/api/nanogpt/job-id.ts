import { randomUUID } from 'node:crypto'
import { text } from '../../../providers/reader.ts'
import { ApiError } from '../errors.ts'

/** `vid_` and 122 random bits. Node draws UUIDs ahead, many at once; bytes cost a call each. */
export function newJobId(): string {
  return `vid_${BigInt(`0x${randomUUID().replaceAll('-', '')}`)
    .toString(36)
    .padStart(25, '0')}`
}

/** The names under which clients send a job id, in the order in which they count. */
const idNames = ['requestId', 'runId', 'id', 'request_id', 'run_id', 'taskId', 'task_id'] as const

const idShape = /^[\w.:-]{1,128}$/

/** The job id that a query or a body names; refuses two different ones, and what cannot be an id. */
export function readJobId(...sources: readonly unknown[]): string {
  const found = sources.flatMap((source) =>
    idNames.flatMap((name) => valuesOf(source, name).map((id) => ({ name, id }))),
  )
  const [first] = found
  if (first === undefined) {
    throw new ApiError('missing_required_parameter', 'A job id is needed: `runId`', { param: 'runId' })
  }
  const other = found.find(({ id }) => id !== first.id)
  if (other !== undefined) {
    const message = `\`${first.name}\` and \`${other.name}\` name two different jobs`
    throw new ApiError('invalid_parameter_value', message, { param: other.name })
  }
  if (idShape.test(first.id)) return first.id
  const message = `\`${first.name}\` is not a job id: letters, digits and _ - . : only, at most 128`
  throw new ApiError('invalid_parameter_value', message, { param: first.name })
}

/** A query may repeat a name. */
function valuesOf(source: unknown, name: string): readonly string[] {
  const value = typeof source === 'object' && source !== null ? Reflect.get(source, name) : undefined
  return [value]
    .flat()
    .map((one) => text(one)?.trim() ?? '')
    .filter((one) => one !== '')
}
