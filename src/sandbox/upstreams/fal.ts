import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { MockContext, MockTask, MockUpstream } from '../mock-upstream.ts'
import { renderProgressOf, simulatedEndOf } from '../mock-upstream.ts'
import { createFalError, findFalErrors, findMissingEndpoint } from './fal-errors.ts'

type OfTask = { Params: { owner: string; app: string; id: string } }

/** A mock of the queue and the storage of fal.ai. Like FAL it accepts any input and reports errors in the result. */
export const falMock: MockUpstream = {
  name: 'fal',
  mount(app, context) {
    app.register(async (scope) => {
      readBodiesLikeFal(scope)
      scope.put('/storage/files/:id/:name', { config: { operation: 'upload' } }, async () => ({}))
      scope.post('/storage/files/upload', { config: { operation: 'upload' } }, async ({ headers }, reply) => {
        if (headers.authorization !== `Bearer ${uploadToken}`)
          return reply.code(401).send(detail('Invalid token'))
        return { access_url: fileUrl(context, headers['x-fal-file-name']) }
      })
      scope.register(async (keyed) => {
        keyed.addHook('onRequest', checkKey)
        mountQueue(keyed, context)
        mountStorage(keyed, context)
      })
    })
  },
}

function mountQueue(app: FastifyInstance, context: MockContext): void {
  const path = '/queue/:owner/:app/requests/:id'

  app.post<{ Params: { '*': string }; Querystring: { fal_webhook?: string } }>(
    '/queue/*',
    { config: { operation: 'submit' } },
    async (request, reply) => {
      const endpoint = request.params['*']
      const { body } = request
      const missing = findMissingEndpoint(endpoint)
      if (missing !== undefined) return reply.code(404).send(detail(missing))
      if (typeof body !== 'object' || body === null) return reply.code(422).send(detail('Invalid JSON body'))
      const hook = request.query.fal_webhook
      const task: MockTask = {
        id: randomUUID(),
        endpoint,
        body: { ...body },
        createdAt: context.now(),
        ...(hook !== undefined && { hook }),
      }
      await context.tasks.put(task)
      return { ...linksOf(task, context), gateway_request_id: task.id, status: 'IN_QUEUE', queue_position: 0 }
    },
  )

  app.get<OfTask>(`${path}/status`, { config: { operation: 'poll' } }, async ({ params }, reply) => {
    const task = await context.tasks.get(params.id)
    if (task === undefined) return notFound(reply)
    const step = stepOf(task, context)
    const links = linksOf(task, context)
    if (step === 'queued') return reply.code(202).send({ status: 'IN_QUEUE', ...links, queue_position: 0 })
    if (step === 'running')
      return reply.code(202).send({ status: 'IN_PROGRESS', ...links, logs: [], metrics: {} })
    return {
      status: 'COMPLETED',
      ...links,
      logs: [],
      metrics: { inference_time: context.renderMs / 1000 },
      ...failureOf(task),
    }
  })

  for (const resultPath of [path, `${path}/response`]) {
    app.get<OfTask>(resultPath, { config: { operation: 'result' } }, async ({ params }, reply) => {
      const task = await context.tasks.get(params.id)
      if (task === undefined) return notFound(reply)
      if (stepOf(task, context) !== 'ended')
        return reply.code(400).send(detail('Request is still in progress'))
      reply.header('x-fal-request-id', task.id)
      if (task.canceledAt !== undefined) {
        return reply
          .code(499)
          .send({ detail: 'Request was cancelled by the client', error_type: 'client_cancelled' })
      }
      const errors = findFalErrors(task)
      if (errors.length > 0) return reply.code(422).send({ detail: errors })
      const end = simulatedEndOf(task.body)
      if (end === 'fail')
        return reply.code(500).send({ detail: [createFalError('downstream_service_unavailable')] })
      if (end === 'empty') return { seed: 0 }
      reply.header('x-fal-billable-units', '5')
      const video = { url: context.videoUrl(task.id), content_type: 'video/mp4', file_name: 'output.mp4' }
      return { video, seed: task.body.seed ?? 42 }
    })
  }

  app.put<OfTask>(`${path}/cancel`, { config: { operation: 'cancel' } }, async ({ params }, reply) => {
    const task = await context.tasks.get(params.id)
    if (task === undefined) return reply.code(404).send({ status: 'NOT_FOUND' })
    if (stepOf(task, context) === 'ended') return reply.code(400).send({ status: 'ALREADY_COMPLETED' })
    await context.tasks.put({ ...task, canceledAt: context.now() })
    return reply.code(202).send({ status: 'CANCELLATION_REQUESTED' })
  })
}

/** The Python client requests it before an upload. */
const uploadToken = 'sandbox-upload-token'
const tokenLifetimeMs = 3600_000

function mountStorage(app: FastifyInstance, context: MockContext): void {
  app.post('/storage/storage/auth/token', { config: { operation: 'upload' } }, async () => ({
    token: uploadToken,
    token_type: 'Bearer',
    base_url: context.baseUrl('storage'),
    expires_at: new Date(context.now() + tokenLifetimeMs).toISOString(),
  }))

  app.post<{ Body: { file_name?: string; content_type?: string } }>(
    '/storage/storage/upload/initiate',
    { config: { operation: 'upload' } },
    async ({ body }, reply) => {
      if (body?.content_type === undefined)
        return reply.code(422).send({ detail: [createFalError('missing', 'content_type')] })
      const url = fileUrl(context, body.file_name)
      return { upload_url: url, file_url: url }
    },
  )
}

function fileUrl(context: MockContext, name: string | string[] = 'file'): string {
  return `${context.baseUrl('storage')}/files/${randomUUID()}/${encodeURIComponent(String(name))}`
}

/** FAL's clients send a JSON type without a body, and uploads have any type. */
function readBodiesLikeFal(scope: FastifyInstance): void {
  scope.removeContentTypeParser('application/json')
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(String(body)))
    } catch {
      done(null, undefined)
    }
  })
  scope.addContentTypeParser(
    '*',
    { bodyLimit: 64 * 1024 * 1024, parseAs: 'buffer' },
    (_request, _body, done) => {
      done(null, undefined)
    },
  )
}

async function checkKey({ headers }: FastifyRequest, reply: FastifyReply): Promise<void> {
  const key = /^Key (\S+)$/.exec(headers.authorization ?? '')?.[1]
  if (key === undefined || key === 'wrong') await reply.code(401).send(detail('invalid key credentials'))
}

function stepOf(task: MockTask, context: MockContext): 'queued' | 'running' | 'ended' {
  return task.canceledAt === undefined ? renderProgressOf(task, context).step : 'ended'
}

/** FAL reports platform failures here; a refusal by the model is in the result only. */
function failureOf(task: MockTask): { error?: string; error_type?: string } {
  if (task.canceledAt !== undefined) return { error: 'Request was cancelled', error_type: 'client_cancelled' }
  return simulatedEndOf(task.body) === 'fail' ? { error: 'Invalid status code: 500' } : {}
}

function linksOf(task: MockTask, context: MockContext) {
  const [owner, app] = task.endpoint.split('/')
  const url = `${context.baseUrl('queue')}/${owner}/${app}/requests/${task.id}`
  return { request_id: task.id, response_url: url, status_url: `${url}/status`, cancel_url: `${url}/cancel` }
}

function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).send(detail('Request not found'))
}

function detail(text: string): { detail: string } {
  return { detail: text }
}
