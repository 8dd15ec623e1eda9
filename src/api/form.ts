import { isUtf8 } from 'node:buffer'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { fields, meaningOf } from '../catalogue/fields.ts'
import type { Upload } from '../media/spool.ts'
import type { UploadedFile } from '../media/uploaded-file.ts'
import { checkBody, isClean, uncleanText } from './body-check.ts'
import { ApiError } from './errors.ts'
import { extractFile } from './extract-file.ts'
import { type FormPart, readParts } from './form-parts.ts'
import { bodyLimitOf } from './json-body.ts'
import { shorten } from './json-limits.ts'
import { isMedia } from './media-positions.ts'
import type { Body } from './nanogpt/submit.ts'

type Values = Map<string, unknown>

/** `name`, `name[]` for one of several, `name[member]` for a member of an object. */
type Name = { name: string; member: string | undefined }

/** What a media field holds where it is not a file: a link, a data URL, an attachment, or JSON of these. */
const linkStart = /^\s*(https?:|data:|attachment:|\{|\[)/i
/** So much decides whether a media field holds a file or a text. */
const startBytes = 8 * 1024

/**
 * Reads a form as the JSON body that it stands for. The field decides what a part is: a text field takes the text of a file part, and a
 * media field takes its bytes. Clients send texts as files and files without a type, so file names and types decide nothing.
 */
export async function readForm(request: FastifyRequest, reply: FastifyReply): Promise<Body> {
  const { spool, limits } = request.server.bodyDeps
  const limitBytes = bodyLimitOf(request, request.server.bodyDeps)
  const uploads: UploadedFile[] = []
  const values: Values = new Map()
  let textBytes = 0

  function countText(bytes: number, field: string): void {
    textBytes += bytes
    if (textBytes > limits.json.bytes) throw tooMuchText(limits.json.bytes, field)
  }

  async function take(part: FormPart): Promise<void> {
    const name = readName(part.name)
    const value = isMedia(name.name) ? await readMedia(part) : await readText(part, name)
    if (value !== undefined) put(values, name, typeof value === 'string' ? readJson(name, value) : value)
  }

  async function readMedia(part: FormPart): Promise<unknown> {
    const pieces = part.content[Symbol.asyncIterator]()
    const start = await readStart(pieces)
    if (start.length === 0 && part.filename === '') return undefined
    const rest = restOf(pieces)
    const text = start.toString('utf8')
    if (linkStart.test(text) || (part.filename === undefined && isPrintable(start))) {
      return readLink(part.name, text, rest)
    }
    if (start.length === startBytes && /^[\w+/=\s-]+$/.test(text)) return readLink(part.name, text, rest)
    return receive(part, start, rest)
  }

  async function receive(part: FormPart, start: Buffer, rest: AsyncIterable<Buffer>): Promise<UploadedFile> {
    if (uploads.length === limits.form.files) throw tooManyFiles(limits.form.files, part.name)
    const upload = await spool.receive(isType(part.type) ? part.type : '')
    return finish(upload, async () => {
      await upload.write(start)
      for await (const piece of rest) await upload.write(piece)
    })
  }

  async function finish(
    upload: Pick<Upload<never>, 'drop' | 'end'>,
    write: () => Promise<void>,
  ): Promise<UploadedFile> {
    try {
      await write()
    } catch (cause) {
      await upload.drop()
      throw cause
    }
    const file = await upload.end()
    uploads.push(file)
    return file
  }

  /** A long data URL becomes a file as in JSON. */
  async function readLink(field: string, start: string, rest: AsyncIterable<Buffer>): Promise<unknown> {
    const found = start.length < startBytes ? undefined : await extractFile(spool, start)
    if (found === undefined) {
      const pieces: Buffer[] = [Buffer.from(start)]
      countText(start.length, field)
      for await (const piece of rest) {
        countText(piece.length, field)
        pieces.push(piece)
      }
      return Buffer.concat(pieces).toString('utf8')
    }
    if (uploads.length === limits.form.files) throw tooManyFiles(limits.form.files, field)
    const { file: upload, skip } = found
    return finish(upload, async () => {
      await upload.write(start.slice(skip))
      for await (const piece of rest) await upload.write(piece.toString('latin1'))
    })
  }

  async function readText(part: FormPart, { name }: Name): Promise<unknown> {
    const isIgnored = meaningOf(name) === undefined && part.filename !== undefined
    const pieces: Buffer[] = []
    let bytes = 0
    for await (const piece of part.content) {
      bytes += piece.length
      if (isIgnored && bytes > startBytes) continue
      countText(piece.length, part.name)
      pieces.push(piece)
    }
    if (bytes === 0 && part.filename === '') return undefined
    const content = Buffer.concat(pieces)
    if (isIgnored && (bytes > startBytes || !isUtf8(content))) return 'file'
    if (!isUtf8(content)) throw notText(part.name)
    const text = content.toString('utf8').replace(/^\uFEFF/, '')
    return /^application\/json\b/.test(part.type) && !isTextField(name) ? parseJson(part.name, text) : text
  }

  try {
    await readParts(request, reply, { parts: limits.form.fields, limitBytes }, take)
    const body = toBody(values)
    checkBody(body, { limits: limits.json })
    request.uploads = uploads
    spool.dropAfter(reply.raw, uploads)
    return body
  } catch (cause) {
    await spool.drop(uploads)
    throw cause
  }
}

async function readStart(pieces: AsyncIterator<Buffer>): Promise<Buffer> {
  const start: Buffer[] = []
  let bytes = 0
  while (bytes < startBytes) {
    const next = await pieces.next()
    if (next.done === true) break
    start.push(next.value)
    bytes += next.value.length
  }
  return Buffer.concat(start)
}

async function* restOf(pieces: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value
}

function readName(fieldname: string): Name {
  const [, name = fieldname, member] = /^([^[\]]+)\[([^[\]]*)\]$/.exec(fieldname) ?? []
  if (!isClean(fieldname)) throw uncleanText(fieldname)
  for (const one of [name, member ?? '']) {
    if (one in Object.prototype) throw new ApiError('invalid_request', ...nameNotAllowed(one))
  }
  return { name, member }
}

function put(values: Values, { name, member }: Name, value: unknown): void {
  const known = values.get(name)
  if (known === undefined) {
    const first = member === undefined ? value : member === '' ? [value] : new Map([[member, value]])
    values.set(name, first)
  } else if (member !== undefined && member !== '' && known instanceof Map) {
    if (known.has(member)) throw givenTwice(`${name}[${member}]`)
    known.set(member, value)
  } else if ((member === undefined || member === '') && !(known instanceof Map) && mayRepeat(name, member)) {
    values.set(name, [known, value].flat())
  } else throw givenTwice(name)
}

/** Fields that nobody reads are ignored as often as they come. */
function mayRepeat(name: string, member: string | undefined): boolean {
  const meaning = meaningOf(name)
  if (meaning === undefined || member === '') return true
  return meaning !== 'metadata' && /list/i.test(fields[meaning.field].kind)
}

function toBody(values: Values): Body {
  return Object.fromEntries(
    [...values].map(([name, value]) => [name, value instanceof Map ? Object.fromEntries(value) : value]),
  )
}

/** A form has no objects and lists: where a field takes one, its text may be JSON. What is wrong with another text, validation says. */
function readJson({ name, member }: Name, text: string): unknown {
  const meaning = meaningOf(name)
  const kind = meaning === undefined || meaning === 'metadata' ? undefined : fields[meaning.field].kind
  const isStructured = kind === 'object' || kind === 'list' || (kind === 'media' && /^\s*\{/.test(text))
  if (!isStructured || member !== undefined || !/^\s*[{[]/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function isTextField(name: string): boolean {
  const meaning = meaningOf(name)
  return meaning !== undefined && meaning !== 'metadata' && fields[meaning.field].kind === 'text'
}

function isType(type: string): boolean {
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) && type !== 'text/plain'
}

function isPrintable(bytes: Buffer): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells a file from a text.
  return isUtf8(bytes) && !/[\0-\x08\x0e-\x1f]/.test(bytes.toString('latin1'))
}

function parseJson(field: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ApiError('invalid_json', `\`${shorten(field)}\` is not valid JSON`, {
      param: shorten(field),
      cause,
    })
  }
}

function givenTwice(field: string): ApiError {
  const name = shorten(field)
  return new ApiError('invalid_parameter_value', `\`${name}\` was given twice; it takes one value`, {
    param: name,
  })
}

function notText(field: string): ApiError {
  const name = shorten(field)
  return new ApiError('invalid_parameter_value', `\`${name}\` must be a text in UTF-8`, { param: name })
}

function nameNotAllowed(name: string): [string, { param: string }] {
  return [`\`${shorten(name)}\` is not allowed as the name of a field`, { param: shorten(name) }]
}

function tooManyFiles(files: number, field: string): ApiError {
  const param = shorten(field)
  const message = `The form has more than ${files} files: the one in \`${param}\` is one too many`
  return new ApiError('payload_too_large', message, { param })
}

function tooMuchText(bytes: number, field: string): ApiError {
  const param = shorten(field)
  const message = `The text of the form is larger than ${bytes / 1024} kB, not counting files in media fields; the limit was exceeded in \`${param}\``
  return new ApiError('payload_too_large', message, { param })
}
