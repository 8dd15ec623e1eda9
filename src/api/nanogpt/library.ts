import type { FastifyReply, FastifyRequest } from 'fastify'
import { text } from '../../../providers/reader.ts'
import type { Attachment } from '../../media/library.ts'
import { ApiError } from '../errors.ts'
import { type FormPart, isForm, readParts } from '../form-parts.ts'
import type { AppParts } from '../parts.ts'
import type { Row } from './routes.ts'
import { timeOf } from './status.ts'

const usualLimit = 50
const largestLimit = 200
/** A form may have some fields beside its file. */
const mostParts = 20

/** What callers keep with us: ours, as no version of the API has published how its library is filled. */
export const libraryRows: readonly Row[] = [
  { method: 'POST', path: '/library', code: 201, answer: add, limit: 'library' },
  { method: 'GET', path: '/library', answer: list, limit: 'library' },
  {
    method: 'GET',
    path: '/library/:id',
    answer: async (parts, request) => shown(await own(parts, request)),
    limit: 'library',
  },
  { method: 'DELETE', path: '/library/:id', answer: remove, limit: 'library' },
]

async function add({ library }: AppParts, request: FastifyRequest, reply: FastifyReply) {
  if (!isForm(request)) {
    throw new ApiError('unsupported_media_type', 'The file must be sent as a multipart/form-data form')
  }
  const { owner } = request
  let added: Attachment | undefined
  const take = async ({ filename = '', type: declared, content }: FormPart) => {
    if (added === undefined && filename !== '') {
      added = await library.add({ owner, filename, declared, content })
    }
  }
  await readParts(request, reply, { parts: mostParts, limitBytes: Infinity }, take).catch(
    async (cause: unknown) => {
      if (added !== undefined) await library.remove(added.id, owner)
      throw cause
    },
  )
  if (added === undefined)
    throw new ApiError('missing_required_parameter', 'A `file` is needed', { param: 'file' })
  return shown(added)
}

async function list({ library }: AppParts, { owner, query }: FastifyRequest) {
  const asked = Math.trunc(Number(text(query, 'limit') ?? usualLimit))
  const limit = Number.isNaN(asked) ? usualLimit : Math.min(Math.max(asked, 1), largestLimit)
  return { data: (await library.list(owner, limit)).map(shown) }
}

async function remove({ library }: AppParts, request: FastifyRequest) {
  const { id } = await own({ library }, request)
  await library.remove(id, request.owner)
  return { id, deleted: true }
}

/** Somebody else's is as good as none. */
async function own(
  { library }: Pick<AppParts, 'library'>,
  { params, owner }: FastifyRequest,
): Promise<Attachment> {
  const id = text(params, 'id') ?? ''
  const found = /^[\w-]{1,64}$/.test(id) ? await library.find(id, owner) : undefined
  if (found === undefined) throw new ApiError('not_found', 'There is no such attachment')
  return found
}

function shown({ id, kind, contentType, bytes, filename, createdAt, expiresAt }: Attachment) {
  const times = { createdAt: timeOf(createdAt), expiresAt: timeOf(expiresAt) }
  return { id, attachmentId: id, kind, contentType, bytes, filename, ...times }
}
