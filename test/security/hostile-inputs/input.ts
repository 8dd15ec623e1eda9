import { readFileSync } from 'node:fs'
import { png } from '../../media/files.ts'

/** `{job}`, `{attachment}`, `{account}` and `{key}` in a path or a raw request stand for those of the caller. */
export type HostileInput = {
  name: string
  as?: 'caller' | 'operator' | 'anonymous'
  method?: string
  path?: string
  headers?: Readonly<Record<string, string>>
  body?: string | Buffer
  /** The whole request as it is sent, instead of the above. */
  raw?: string | Buffer
  /** `closed`: the connection ends without a reply. */
  status: number | 'closed'
  code?: string
  param?: string
}

export type Expected = Pick<HostileInput, 'status' | 'code' | 'param'>

export const submitPath = '/api/generate-video'
export const boundary = 'a-boundary'

/** The expected errors; `param` where the error names one. */
export const accepted: Expected = { status: 202 }
export const invalid = (param?: string): Expected => refused(400, 'invalid_parameter_value', param)
export const missing = (param: string): Expected => refused(400, 'missing_required_parameter', param)
export const noJson: Expected = { status: 400, code: 'invalid_json' }
export const badRequest: Expected = { status: 400, code: 'invalid_request' }
export const notFound: Expected = { status: 404, code: 'not_found' }
export const wrongType: Expected = { status: 415, code: 'unsupported_media_type' }
export function refused(status: number, code: string, param?: string): Expected {
  return { status, code, ...(param !== undefined && { param }) }
}

export const job = { model: 'minimax-video', prompt: 'a paper boat' }
export const withImage = (image: unknown) => ({ model: 'sora-2', prompt: 'a paper boat', image })

/** A submit of this body: bytes or text as they are, anything else as JSON. */
export function submit(
  name: string,
  body: unknown,
  expected: Expected,
  more: Partial<HostileInput> = {},
): HostileInput {
  const isReady = typeof body === 'string' || Buffer.isBuffer(body)
  return { name, body: isReady ? body : JSON.stringify(body), ...expected, ...more }
}

export function get(
  name: string,
  path: string,
  expected: Expected,
  more: Partial<HostileInput> = {},
): HostileInput {
  return { name, method: 'GET', path, ...expected, ...more }
}

/** A submit of a valid body with more fields. */
export function field(name: string, fields: Record<string, unknown>, expected: Expected): HostileInput {
  return submit(name, { ...job, ...fields }, expected)
}

export const storyOf = (image: unknown) => ({
  model: 'longstories-movie',
  prompt: 'x',
  storyConfig: { characters: [{ name: 'a', image }] },
})

export type Part = readonly [
  name: string,
  value: string | Buffer,
  filename?: string | undefined,
  type?: string,
]

export function formOf(entries: readonly (Part | Buffer)[]): Buffer {
  const pieces = entries.map((part) => {
    if (Buffer.isBuffer(part)) return part
    const [name, value, filename, type] = part
    const file = filename === undefined ? '' : `; filename="${filename}"`
    const typed = type === undefined ? '' : `Content-Type: ${type}\r\n`
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${typed}\r\n`
    return Buffer.concat([Buffer.from(head), Buffer.from(value), Buffer.from('\r\n')])
  })
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)])
}

export const rawPart = (head: string, value = 'x') =>
  Buffer.from(`--${boundary}\r\n${head}\r\n\r\n${value}\r\n`)
export const formHeaders = { 'content-type': `multipart/form-data; boundary=${boundary}` }

export function form(
  name: string,
  entries: readonly (Part | Buffer)[] | Buffer,
  expected: Expected,
): HostileInput {
  const body = Buffer.isBuffer(entries) ? entries : formOf(entries)
  return { name, path: '/v1/videos', headers: formHeaders, body, ...expected }
}

export function library(
  name: string,
  entries: readonly (Part | Buffer)[] | Buffer,
  expected: Expected,
): HostileInput {
  return { ...form(name, entries, expected), path: '/api/library' }
}

/** A raw request. The fields that the test does not check are added. */
export function raw(name: string, lines: readonly string[], expected: Expected, body = ''): HostileInput {
  return { name, raw: Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'), ...expected }
}
export const rawJson = JSON.stringify(job)
export const rawHead = (...more: string[]) => [
  `POST ${submitPath} HTTP/1.1`,
  'Host: gateway',
  'X-API-Key: {key}',
  'Content-Type: application/json',
  ...more,
]

export const pixel = png()
export const fixture = (name: string) =>
  readFileSync(new URL(`../../media/fixtures/${name}`, import.meta.url))
export const base64 = pixel.toString('base64')
export const largeImage = png({ padding: 90_000 })
export const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
export const bytes = (...entries: readonly (string | readonly number[])[]) =>
  Buffer.concat(entries.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))))
export const loneSurrogate = '\ud800'

export const strict = { prefer: 'handling=strict' }
export const webhooksRoute = { path: '/api/webhooks' }
export const modelPart: Part = ['model', 'sora-2']
export const promptPart: Part = ['prompt', 'a paper boat']
export const keysPath = '/api/admin/keys'
export const operator = { as: 'operator' as const, path: keysPath }
export const videosRoute = { path: '/v1/videos' }
export const chunked = ['Transfer-Encoding: chunked']
export const ok: Expected = { status: 200 }
