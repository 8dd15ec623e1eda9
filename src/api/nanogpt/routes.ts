import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { TSchema } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { createBodyChecks } from '../before-body.ts'
import { identify } from '../caller.ts'
import { acceptForms } from '../form-parts.ts'
import type { Limited, Limits } from '../limits.ts'
import type { AppParts } from '../parts.ts'
import { ownUsage } from '../usage.ts'
import { balance } from './balance.ts'
import { content } from './content.ts'
import { readJobId } from './job-id.ts'
import { libraryRows } from './library.ts'
import { addressOf } from './links.ts'
import { extend, midjourneyStatus } from './midjourney.ts'
import { allModels, modelsByKind, noImageModels, noModels, videoModels } from './models.ts'
import { noSuchJob, ownJob } from './own-job.ts'
import { price } from './price.ts'
import { recover } from './recover.ts'
import { Balance, Recovered, Status, Submitted } from './schemas.ts'
import { statusBody, statusText } from './status.ts'
import { submit, submitFirst } from './submit.ts'
import { subscriptionUsage } from './subscription.ts'
import { afterWait } from './wait.ts'
import type { Dialect } from './words.ts'

/** Under which prefixes clients look for every row, by what they were told the base address is. */
const prefixes = ['/api', '', '/api/v1', '/v1', '/api/v1/api']

type Method = 'GET' | 'HEAD' | 'POST' | 'DELETE'

export type Row = {
  method: Method | Method[]
  path: string
  /** What to reply with; the reply itself where that has been sent already. */
  answer(parts: AppParts, request: FastifyRequest, reply: FastifyReply): Promise<unknown>
  code?: number
  schema?: TSchema
  /** Anybody may ask, and a wrong key does no harm. */
  keyless?: true
  limit?: Limited
  quiet?: true
}

/** Lists of models of other kinds, and of a subscription. */
const emptyLists = [
  ...['/v1/images/models', '/v1/image-models', '/v1/audio-models', '/v1/embedding-models'],
  ...['/subscription/v1/models', '/paid/v1/models', '/personalized/v1/models'],
]

/** Where a prefix makes two rows meet, the earlier one wins. */
const rows: readonly Row[] = [
  { method: 'POST', path: '/v1/video', answer: submitFirst, schema: Submitted, limit: 'submit' },
  statusRow('/v1/video/status', 'first'),
  statusRow('/video/status', 'current'),
  statusRow('/generate-video/status', 'current'),
  statusRow('/video-status', 'seed'),
  {
    method: 'POST',
    path: '/generate-video',
    code: 202,
    answer: (parts, request) => submit(parts, request),
    schema: Submitted,
    limit: 'submit',
  },
  { method: 'POST', path: '/generate-video/cancel', answer: cancel, schema: Status },
  {
    method: 'POST',
    path: '/generate-video/extend',
    code: 202,
    answer: extend,
    schema: Submitted,
    limit: 'extend',
  },
  { method: 'POST', path: '/check-midjourney-status', answer: midjourneyStatus, quiet: true },
  { method: 'GET', path: '/generate-video/recover', answer: recover, schema: Recovered, limit: 'recover' },
  { method: ['GET', 'HEAD'], path: '/generate-video/content', answer: content, quiet: true },
  { method: 'POST', path: '/check-balance', answer: balance, schema: Balance },
  { method: 'POST', path: '/price', answer: price },
  { method: 'GET', path: '/usage', answer: ownUsage },
  { method: 'GET', path: '/v1/video-models', answer: videoModels, keyless: true },
  { method: 'GET', path: '/subscription/v1/video-models', answer: videoModels, keyless: true },
  { method: 'GET', path: '/paid/v1/video-models', answer: videoModels, keyless: true },
  { method: 'GET', path: '/models/video', answer: modelsByKind, keyless: true },
  { method: 'GET', path: '/v1/models', answer: allModels, keyless: true },
  { method: 'GET', path: '/models', answer: allModels, keyless: true },
  { method: 'GET', path: '/models/image', answer: noImageModels, keyless: true },
  ...emptyLists.map((path): Row => ({ method: 'GET', path, answer: noModels, keyless: true })),
  { method: 'GET', path: '/subscription/v1/usage', answer: subscriptionUsage },
]

/** Serves the NanoGPT tongue: each row under each prefix. */
export async function nanogpt(app: FastifyInstance, parts: AppParts, limits: Limits): Promise<void> {
  serve(app, rows, parts, limits)
  await app.register(async (scope) => {
    acceptForms(scope)
    serve(scope, libraryRows, parts, limits)
  })
}

function serve(app: FastifyInstance, rows: readonly Row[], parts: AppParts, limits: Limits): void {
  const routes = app.withTypeProvider<TypeBoxTypeProvider>()
  const guard = identify(parts.accounts)
  const bodyChecks = createBodyChecks(parts)
  const hooksOf = (limit: Limited | undefined) => {
    if (limit === undefined) return []
    if (limit === 'recover') return [limits.recover]
    return [limits[limit], limit === 'library' ? bodyChecks.forUpload : bodyChecks.forSubmit]
  }
  const taken = new Set<string>()
  for (const row of rows) {
    for (const url of prefixes.map((prefix) => prefix + row.path)) {
      if (taken.has(`${row.method} ${url}`)) continue
      taken.add(`${row.method} ${url}`)
      const code = row.code ?? 200
      routes.route({
        method: row.method,
        url,
        config: { quiet: row.quiet ?? false, operation: row.path },
        onRequest: row.keyless ? [] : [guard, ...hooksOf(row.limit)],
        schema: row.schema === undefined ? {} : { response: { [code]: row.schema } },
        handler: async (request, reply) => {
          const answer = await row.answer(parts, request, reply)
          // A reply that is awaited resolves to nothing, once it has been sent.
          return reply.sent ? reply : reply.code(code).send(answer)
        },
      })
    }
  }
}

function statusRow(path: string, dialect: Dialect): Row {
  return {
    method: 'GET',
    path,
    quiet: true,
    schema: Status,
    answer: async ({ engine, config }, request, reply) => {
      const found = await ownJob(engine, request, readJobId(request.query))
      const view = await afterWait(engine, request, found)
      const telling = { dialect, address: addressOf(request, config.publicUrl), now: Date.now() }
      return reply
        .type('application/json')
        .send(statusText(view, telling, (body) => String(reply.serialize(body))))
    },
  }
}

/** Ours: no version of the API has published how to cancel. */
async function cancel({ engine, config }: AppParts, request: FastifyRequest): Promise<Status> {
  const id = readJobId(request.query, request.body)
  await ownJob(engine, request, id)
  const view = await engine.cancel(id)
  if (view === undefined) throw noSuchJob(id)
  return statusBody(view, {
    dialect: 'current',
    address: addressOf(request, config.publicUrl),
    now: Date.now(),
  })
}
