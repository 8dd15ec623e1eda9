import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Sandbox, SandboxStage, SandboxTask } from '../mock-upstream.ts'
import { endingOf, stageOf } from '../mock-upstream.ts'
import { complaintsAbout, missingEndpoint, refused } from './fal-errors.ts'

type OfTask = { Params: { owner: string; app: string; id: string } }

/** A stand-in for the queue and the storage of fal.ai. Like FAL it takes any input and complains in the result. */
export const sandbox: Sandbox = {
  name: 'fal',
  mount(app, stage) {
    app.register(async (scope) => {
      readBodiesLikeFal(scope)
      scope.put('/storage/files/:id/:name', { config: { operation: 'upload' } }, async () => ({}))
      scope.post('/storage/files/upload', { config: { operation: 'upload' } }, async ({ headers }, reply) => {
        if (headers.authorization !== `Bearer ${uploadToken}`)
          return reply.code(401).send(detail('Invalid token'))
        return { access_url: fileUrl(stage, headers['x-fal-file-name']) }
      })
      scope.register(async (keyed) => {
        keyed.addHook('onRequest', checkKey)
        mountQueue(keyed, stage)
        mountStorage(keyed, stage)
      })
    })
  },
}

function mountQueue(app: FastifyInstance, stage: SandboxStage): void {
  const task = '/queue/:owner/:app/requests/:id'

  app.post<{ Params: { '*': string }; Querystring: { fal_webhook?: string } }>(
    '/queue/*',
    { config: { operation: 'submit' } },
    async (request, reply) => {
      const endpoint = request.params['*']
      const { body } = request
      const missing = missingEndpoint(endpoint)
      if (missing !== undefined) return reply.code(404).send(detail(missing))
      if (typeof body !== 'object' || body === null) return reply.code(422).send(detail('Invalid JSON body'))
      const hook = request.query.fal_webhook
      const made: SandboxTask = {
        id: randomUUID(),
        endpoint,
        body: { ...body },
        createdAt: stage.now(),
        ...(hook !== undefined && { hook }),
      }
      await stage.tasks.put(made)
      return { ...linksOf(made, stage), gateway_request_id: made.id, status: 'IN_QUEUE', queue_position: 0 }
    },
  )

  app.get<OfTask>(`${task}/status`, { config: { operation: 'poll' } }, async ({ params }, reply) => {
    const found = await stage.tasks.get(params.id)
    if (found === undefined) return notFound(reply)
    const step = stepOf(found, stage)
    const links = linksOf(found, stage)
    if (step === 'queued') return reply.code(202).send({ status: 'IN_QUEUE', ...links, queue_position: 0 })
    if (step === 'running')
      return reply.code(202).send({ status: 'IN_PROGRESS', ...links, logs: [], metrics: {} })
    return {
      status: 'COMPLETED',
      ...links,
      logs: [],
      metrics: { inference_time: stage.renderMs / 1000 },
      ...failureOf(found),
    }
  })

  for (const path of [task, `${task}/response`]) {
    app.get<OfTask>(path, { config: { operation: 'result' } }, async ({ params }, reply) => {
      const found = await stage.tasks.get(params.id)
      if (found === undefined) return notFound(reply)
      if (stepOf(found, stage) !== 'ended')
        return reply.code(400).send(detail('Request is still in progress'))
      reply.header('x-fal-request-id', found.id)
      if (found.canceledAt !== undefined) {
        return reply
          .code(499)
          .send({ detail: 'Request was cancelled by the client', error_type: 'client_cancelled' })
      }
      const complaints = complaintsAbout(found)
      if (complaints.length > 0) return reply.code(422).send({ detail: complaints })
      const ending = endingOf(found.body)
      if (ending === 'fail')
        return reply.code(500).send({ detail: [refused('downstream_service_unavailable')] })
      if (ending === 'empty') return { seed: 0 }
      reply.header('x-fal-billable-units', '5')
      const video = { url: stage.videoUrl(found.id), content_type: 'video/mp4', file_name: 'output.mp4' }
      return { video, seed: found.body.seed ?? 42 }
    })
  }

  app.put<OfTask>(`${task}/cancel`, { config: { operation: 'cancel' } }, async ({ params }, reply) => {
    const found = await stage.tasks.get(params.id)
    if (found === undefined) return reply.code(404).send({ status: 'NOT_FOUND' })
    if (stepOf(found, stage) === 'ended') return reply.code(400).send({ status: 'ALREADY_COMPLETED' })
    await stage.tasks.put({ ...found, canceledAt: stage.now() })
    return reply.code(202).send({ status: 'CANCELLATION_REQUESTED' })
  })
}

/** What the Python client asks for before it uploads; it may be used until it expires. */
const uploadToken = 'sandbox-upload-token'
const tokenLifetimeMs = 3600_000

function mountStorage(app: FastifyInstance, stage: SandboxStage): void {
  app.post('/storage/storage/auth/token', { config: { operation: 'upload' } }, async () => ({
    token: uploadToken,
    token_type: 'Bearer',
    base_url: stage.baseUrl('storage'),
    expires_at: new Date(stage.now() + tokenLifetimeMs).toISOString(),
  }))

  app.post<{ Body: { file_name?: string; content_type?: string } }>(
    '/storage/storage/upload/initiate',
    { config: { operation: 'upload' } },
    async ({ body }, reply) => {
      if (body?.content_type === undefined)
        return reply.code(422).send({ detail: [refused('missing', 'content_type')] })
      const url = fileUrl(stage, body.file_name)
      return { upload_url: url, file_url: url }
    },
  )
}

function fileUrl(stage: SandboxStage, name: string | string[] = 'file'): string {
  return `${stage.baseUrl('storage')}/files/${randomUUID()}/${encodeURIComponent(String(name))}`
}

/** FAL's clients name JSON where they send nothing, and an upload is of any type. */
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

function stepOf(task: SandboxTask, stage: SandboxStage): 'queued' | 'running' | 'ended' {
  return task.canceledAt === undefined ? stageOf(task, stage).step : 'ended'
}

/** FAL is known to say so of platform failures; of a refusal by the model only the result tells. */
function failureOf(task: SandboxTask): { error?: string; error_type?: string } {
  if (task.canceledAt !== undefined) return { error: 'Request was cancelled', error_type: 'client_cancelled' }
  return endingOf(task.body) === 'fail' ? { error: 'Invalid status code: 500' } : {}
}

function linksOf(task: SandboxTask, stage: SandboxStage) {
  const [owner, app] = task.endpoint.split('/')
  const url = `${stage.baseUrl('queue')}/${owner}/${app}/requests/${task.id}`
  return { request_id: task.id, response_url: url, status_url: `${url}/status`, cancel_url: `${url}/cancel` }
}

function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).send(detail('Request not found'))
}

function detail(text: string): { detail: string } {
  return { detail: text }
}
