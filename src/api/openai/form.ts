import type { MultipartFile } from '@fastify/multipart'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Spool } from '../../media/spool.ts'
import { ApiError } from '../errors.ts'
import type { Body } from '../nanogpt/submit.ts'

/** Options of @fastify/multipart: a form is never larger than another body may be. */
export function formLimits(bodyLimitBytes: number) {
  return { fileSize: bodyLimitBytes, fieldSize: bodyLimitBytes, files: 8, fields: 200 }
}

type Values = Map<string, unknown>

/** Reads a form as the JSON body that it stands for. Files go to disk as they arrive, and a data URL stands for each. */
export async function readForm(request: FastifyRequest, { raw }: FastifyReply, spool: Spool): Promise<Body> {
  const limitBytes = request.routeOptions.bodyLimit
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes)
  const standIns: string[] = []
  request.standIns = standIns
  const values: Values = new Map()
  let bytes = 0
  try {
    for await (const part of request.parts()) {
      if (part.type === 'file') {
        put(values, part.fieldname, await store(part, spool, standIns))
        bytes += part.file.bytesRead
        if (part.file.truncated) throw tooLarge(limitBytes)
      } else {
        put(values, part.fieldname, part.value)
        bytes += String(part.value).length
      }
      if (bytes > limitBytes) throw tooLarge(limitBytes)
    }
  } catch (cause) {
    await spool.drop(standIns)
    if (cause instanceof ApiError) throw cause
    if (Reflect.get(Object(cause), 'statusCode') === 413) throw tooLarge(limitBytes, cause)
    throw new ApiError('invalid_request', 'The form cannot be read', { cause })
  }
  spool.dropAfter(raw, standIns)
  return toBody(values)
}

async function store({ file, mimetype }: MultipartFile, spool: Spool, standIns: string[]): Promise<string> {
  const declared = /^[\w.+-]+\/[\w.+-]+$/.test(mimetype) ? mimetype : 'application/octet-stream'
  const diverted = await spool.divert(declared)
  standIns.push(diverted.standIn)
  let rest = Buffer.alloc(0)
  try {
    for await (const piece of file) {
      const bytes = Buffer.concat([rest, piece as Buffer])
      const whole = bytes.length - (bytes.length % 3)
      await diverted.write(bytes.toString('base64', 0, whole))
      rest = bytes.subarray(whole)
    }
    await diverted.write(rest.toString('base64'))
  } finally {
    await diverted.end()
  }
  return diverted.standIn
}

/** `name`, `name[]` for one of several, `name[member]` for a part of an object. */
function put(values: Values, fieldname: string, value: unknown): void {
  const [, name = fieldname, member] = /^([^[\]]+)\[([^[\]]*)\]$/.exec(fieldname) ?? []
  const known = values.get(name)
  if (member === undefined && known === undefined) values.set(name, value)
  else if (member === undefined || member === '') values.set(name, [known ?? [], value].flat())
  else values.set(name, (known instanceof Map ? known : new Map()).set(member, value))
}

function toBody(values: Values): Body {
  return Object.fromEntries(
    [...values].map(([name, value]) => [name, value instanceof Map ? Object.fromEntries(value) : value]),
  )
}

function tooLarge(limitBytes: number, cause?: unknown): ApiError {
  return new ApiError('payload_too_large', `The body is larger than ${limitBytes} bytes`, { cause })
}
