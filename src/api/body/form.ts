import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { matchFieldName } from '../../catalogue/fields.ts'
import type { UploadedFile } from '../../catalogue/media-values/uploaded-file.ts'
import type { BufferedUpload } from '../../media/inputs/upload-buffer.ts'
import { ApiError } from '../errors.ts'
import { bodyLimitOf, compressionError } from './body-arrival.ts'
import { checkBody } from './body-check.ts'
import { extractFile } from './extract-file.ts'
import { createFormBody, type FieldName, isTextField, parseFieldName, parseJsonField } from './form-fields.ts'
import { type FormPart, readFormParts } from './form-parts.ts'
import { shortenQuoted } from './json-limits.ts'
import { isMediaField } from './media-positions.ts'
import type { RequestBody } from './request-body.ts'

/** The start of a media field that is not a file: a link, a data URL, an attachment, or JSON of these. */
const linkStartPattern = /^\s*(https?:|data:|attachment:|\{|\[)/i
/** How much is read to decide whether a media field is a file or a text. */
const maxStartBytes = 8 * 1024

/** Reads the forms that the routes of this scope receive: `request.body` is then the same as if JSON had been sent. */
export function registerFormParser(scope: FastifyInstance): void {
  scope.addContentTypeParser('multipart/form-data', (request, _payload, done) => {
    const encodingError = compressionError(request)
    if (encodingError !== undefined) done(encodingError)
    else readForm(request).then((body) => done(null, body), done)
  })
}

/**
 * Reads a form as the equivalent JSON body. The field decides what a part is: a text field takes the text of a file part, and a media field its
 * bytes. File names and types do not, as clients send texts as files and files without a type.
 */
async function readForm(request: FastifyRequest): Promise<RequestBody> {
  const { uploadBuffer, limits, budget } = request.server.bodyDeps
  const limitBytes = bodyLimitOf(request, request.server.bodyDeps)
  const uploads: UploadedFile[] = []
  const formBody = createFormBody()
  let textBytes = 0

  function countText(bytes: number, field: string): void {
    textBytes += bytes
    if (textBytes > limits.json.bytes) throw formTextTooLargeError(limits.json.bytes, field)
  }

  async function readPart(part: FormPart): Promise<void> {
    const fieldName = parseFieldName(part.name)
    const value = isMediaField(fieldName.name) ? await readMedia(part) : await readText(part, fieldName)
    if (value !== undefined) formBody.add(fieldName, value)
  }

  async function readMedia(part: FormPart): Promise<unknown> {
    const pieces = part.content[Symbol.asyncIterator]()
    const start = await readStart(pieces)
    if (start.length === 0 && part.filename === '') return undefined
    const rest = readRest(pieces)
    const text = start.toString('utf8')
    if (linkStartPattern.test(text) || (part.filename === undefined && isPrintable(start))) {
      return readLink(part.name, text, rest)
    }
    if (start.length === maxStartBytes && /^[\w+/=\s-]+$/.test(text)) return readLink(part.name, text, rest)
    return receiveFile(part, start, rest)
  }

  async function receiveFile(
    part: FormPart,
    start: Buffer,
    rest: AsyncIterable<Buffer>,
  ): Promise<UploadedFile> {
    if (uploads.length === limits.form.files) throw tooManyFormFilesError(limits.form.files, part.name)
    const upload = await uploadBuffer.receiveFile(isSpecificType(part.type) ? part.type : '')
    return finishUpload(upload, async () => {
      await upload.write(start)
      for await (const piece of rest) await upload.write(piece)
    })
  }

  async function finishUpload(
    upload: Pick<BufferedUpload<never>, 'discard' | 'end'>,
    write: () => Promise<void>,
  ): Promise<UploadedFile> {
    try {
      await write()
    } catch (cause) {
      await upload.discard()
      throw cause
    }
    const file = await upload.end()
    uploads.push(file)
    return file
  }

  /** A long data URL becomes a file as in JSON. */
  async function readLink(field: string, start: string, rest: AsyncIterable<Buffer>): Promise<unknown> {
    const extracted = start.length < maxStartBytes ? undefined : await extractFile(uploadBuffer, start)
    if (extracted === undefined) {
      const pieces: Buffer[] = [Buffer.from(start)]
      countText(start.length, field)
      for await (const piece of rest) {
        countText(piece.length, field)
        pieces.push(piece)
      }
      return Buffer.concat(pieces).toString('utf8')
    }
    if (uploads.length === limits.form.files) throw tooManyFormFilesError(limits.form.files, field)
    const { file: upload, skip } = extracted
    return finishUpload(upload, async () => {
      await upload.write(start.slice(skip))
      for await (const piece of rest) await upload.write(piece.toString('latin1'))
    })
  }

  async function readText(part: FormPart, { name }: FieldName): Promise<unknown> {
    const isIgnored = matchFieldName(name) === undefined && part.filename !== undefined
    const pieces: Buffer[] = []
    let bytes = 0
    for await (const piece of part.content) {
      bytes += piece.length
      if (isIgnored && bytes > maxStartBytes) continue
      countText(piece.length, part.name)
      pieces.push(piece)
    }
    if (bytes === 0 && part.filename === '') return undefined
    const content = Buffer.concat(pieces)
    if (isIgnored && (bytes > maxStartBytes || !isUtf8(content))) return 'file'
    if (!isUtf8(content)) throw notTextError(part.name)
    const text = content.toString('utf8').replace(/^\uFEFF/, '')
    return /^application\/json\b/.test(part.type) && !isTextField(name)
      ? parseJsonField(part.name, text)
      : text
  }

  const reservation = budget.reserve()
  request.reservation = reservation
  try {
    await readFormParts(request, { reservation, maxParts: limits.form.fields, limitBytes }, readPart)
    const body = formBody.toBody()
    checkBody(body, { limits: limits.json })
    request.uploads = uploads
    return body
  } catch (cause) {
    reservation.release()
    await uploadBuffer.discard(uploads)
    throw cause
  }
}

async function readStart(pieces: AsyncIterator<Buffer>): Promise<Buffer> {
  const start: Buffer[] = []
  let bytes = 0
  while (bytes < maxStartBytes) {
    const result = await pieces.next()
    if (result.done === true) break
    start.push(result.value)
    bytes += result.value.length
  }
  return Buffer.concat(start)
}

async function* readRest(pieces: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  for (let result = await pieces.next(); result.done !== true; result = await pieces.next())
    yield result.value
}

function isSpecificType(type: string): boolean {
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) && type !== 'text/plain'
}

function isPrintable(bytes: Buffer): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they distinguish a file from a text.
  return isUtf8(bytes) && !/[\0-\x08\x0e-\x1f]/.test(bytes.toString('latin1'))
}

function notTextError(field: string): ApiError {
  const name = shortenQuoted(field)
  return new ApiError('invalid_parameter_value', `\`${name}\` must be a text in UTF-8`, { param: name })
}

function tooManyFormFilesError(maxFiles: number, field: string): ApiError {
  const param = shortenQuoted(field)
  const message = `The form has more than ${maxFiles} files: the one in \`${param}\` is one too many`
  return new ApiError('payload_too_large', message, { param })
}

function formTextTooLargeError(maxBytes: number, field: string): ApiError {
  const param = shortenQuoted(field)
  const message = `The text of the form is larger than ${maxBytes / 1024} kB, not counting files in media fields; the limit was exceeded in \`${param}\``
  return new ApiError('payload_too_large', message, { param })
}
