import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import {
  anyBoolean,
  type BodySchema,
  describe,
  findViolations,
  schemaOf,
  type Violation,
} from '../../../providers/schema.ts'
import { wavespeedSchemas } from '../../../providers/wavespeed/schema.ts'
import {
  type MockContext,
  type MockTask,
  type MockUpstream,
  renderProgressOf,
  simulatedEndOf,
} from '../mock-upstream.ts'
import { mountUploads } from './wavespeed-uploads.ts'

type Submit = { Params: { '*': string }; Querystring: { webhook?: string }; Body: Record<string, unknown> }
/** Switches of the protocol that its clients add to the input of any model. */
const protocolFields: BodySchema = { enable_sync_mode: anyBoolean, enable_base64_output: anyBoolean }

type Search = {
  page?: number
  page_size?: number
  model?: string
  status?: string
  created_after?: string
  created_before?: string
  include_inputs?: boolean
}

/** A mock of api.wavespeed.ai; stricter than the real one may be: an unlisted field is a 400. */
export const wavespeedMock: MockUpstream = {
  name: 'wavespeed',
  mount(app, context) {
    app.register(async (scope) => {
      scope.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
        const code = error.statusCode ?? 500
        return reply.code(code).send({ code, message: error.message })
      })
      scope.setNotFoundHandler((_request, reply) => reply.code(404).send({ code: 404, message: 'Not found' }))
      scope.register(async (keyed) => {
        keyed.addHook('onRequest', requireKey)
        mountPredictions(keyed, context)
      })
      scope.register(async (files) => mountUploads(files, context, requireKey))
    })
  },
}

async function requireKey(request: FastifyRequest): Promise<void> {
  if (!/^Bearer \S+$/.test(request.headers.authorization ?? '')) throw refusal(401, 'Unauthorized')
}

function mountPredictions(app: FastifyInstance, context: MockContext): void {
  const poll = { config: { operation: 'poll' } }

  app.post<Submit>('/api/v3/*', { config: { operation: 'submit' } }, async (request) => {
    const endpoint = request.params['*']
    const schema = schemaOf(wavespeedSchemas, endpoint)
    if (schema === undefined) throw refusal(404, 'model not found')
    const [wrong] = findViolations({ ...protocolFields, ...schema }, request.body ?? {})
    if (wrong !== undefined) throw refusal(400, messageOf(wrong))
    const { webhook } = request.query
    const waits = request.body.enable_sync_mode === true
    if (waits && webhook !== undefined) throw refusal(400, 'sync mode does not support a webhook')
    const task: MockTask = {
      id: randomUUID().replaceAll('-', ''),
      endpoint,
      body: request.body,
      createdAt: context.now(),
      ...(webhook !== undefined && { hook: webhook }),
    }
    await context.tasks.put(task)
    return success(waits ? await finished(task, context) : prediction(task, context))
  })

  for (const path of ['/api/v3/predictions/:id/result', '/api/v3/predictions/:id']) {
    app.get<{ Params: { id: string } }>(path, poll, async (request) =>
      success(prediction(await find(context, request.params.id), context)),
    )
  }

  app.delete<{ Params: { id: string } }>(
    '/api/v3/predictions/:id',
    { config: { operation: 'cancel' } },
    async (request) => {
      const task = await find(context, request.params.id)
      await cancel(context, task)
      return success({ id: task.id, status: 'deleted' })
    },
  )

  app.post<{ Body: { ids?: readonly string[] } }>(
    '/api/v3/predictions/delete',
    { config: { operation: 'cancel' } },
    async (request) => {
      const known = (await tasksOf(context)).filter(({ id }) => request.body?.ids?.includes(id))
      for (const task of known) await cancel(context, task)
      return success({ deleted_count: known.length })
    },
  )

  app.post<{ Body: Search }>('/api/v3/predictions', { config: { operation: 'list' } }, async (request) => {
    const search = request.body ?? {}
    const { page = 1, page_size: size = 20 } = search
    const items = (await tasksOf(context))
      .map((task) => ({ task, item: prediction(task, context) }))
      .filter(({ task, item }) => matches(search, task, item.status))
      .slice((page - 1) * size, page * size)
      .map(({ task, item }) => (search.include_inputs === true ? { ...item, inputs: task.body } : item))
    return success({ page, items })
  })

  app.get('/api/v3/balance', { config: { operation: 'balance' } }, async () => success({ balance: 100 }))
}

/** In sync mode the submission returns the result, or the current state after a while. */
async function finished(task: MockTask, context: MockContext) {
  for (let polls = 0; polls < 20; polls += 1) {
    const current = (await context.tasks.get(task.id)) ?? task
    if (renderProgressOf(current, context).step === 'ended') return prediction(current, context)
    await sleep(context.renderMs / 10)
  }
  const error = 'Sync mode timed out. The task goes on; ask for its result.'
  return { ...prediction(task, context), status: 'processing', code: 5004, error }
}

/** As a JSON Schema validator words it. */
function messageOf(violation: Violation): string {
  const { kind } = violation
  const [name = ''] = violation.field.split('.')
  if (kind === 'unknown') return `property "${name}" is unsupported`
  if (kind === 'missing') return `property "${name}" is missing`
  return `property "${name}" has an invalid value: it ${describe(violation)}`
}

function matches(search: Search, task: MockTask, status: string): boolean {
  const { model = task.endpoint, status: wanted = status, created_after, created_before } = search
  const after = created_after === undefined || task.createdAt >= Date.parse(created_after)
  const before = created_before === undefined || task.createdAt <= Date.parse(created_before)
  return model === task.endpoint && wanted === status && after && before
}

/** Newest first. */
async function tasksOf(context: MockContext): Promise<MockTask[]> {
  const ours = (await context.tasks.list()).filter(({ endpoint }) =>
    Object.hasOwn(wavespeedSchemas, endpoint),
  )
  return ours.toSorted((a, b) => b.createdAt - a.createdAt)
}

async function find(context: MockContext, id: string): Promise<MockTask> {
  const task = await context.tasks.get(id)
  if (task === undefined || !Object.hasOwn(wavespeedSchemas, task.endpoint))
    throw refusal(404, 'Prediction not found')
  return task
}

async function cancel(context: MockContext, task: MockTask): Promise<void> {
  await context.tasks.put({ ...task, canceledAt: task.canceledAt ?? context.now() })
}

/** A task as WaveSpeed returns it. Unlike there, a deleted one stays readable. */
function prediction(task: MockTask, context: MockContext) {
  const record = {
    id: task.id,
    model: task.endpoint,
    outputs: [] as string[],
    urls: { get: `${context.baseUrl('api')}/api/v3/predictions/${task.id}/result` },
    has_nsfw_contents: null as boolean[] | null,
    status: 'created',
    created_at: new Date(task.createdAt).toISOString(),
    error: '',
    timings: { inference: 0 },
  }
  if (task.canceledAt !== undefined) return { ...record, status: 'deleted' }
  const { step } = renderProgressOf(task, context)
  if (step === 'queued') return { ...record, has_nsfw_contents: [] }
  if (step === 'running') return { ...record, status: 'processing' }
  return { ...record, timings: { inference: context.renderMs }, ...end(task, context) }
}

function end(task: MockTask, context: MockContext) {
  switch (simulatedEndOf(task.body)) {
    case 'refuse':
      return failed(1200, 'Content flagged as potentially sensitive. Please try different prompts or images.')
    case 'invalid':
      return failed(1402, 'The media URL could not be fetched.')
    case 'fail':
      return failed(1405, 'The task failed.')
    case 'empty':
      return { status: 'completed', has_nsfw_contents: [] }
    default:
      return { status: 'completed', outputs: [context.videoUrl(task.id)], has_nsfw_contents: [false] }
  }
}

function failed(code: number, error: string) {
  return { status: 'failed', code, error }
}

function success<Body>(body: Body) {
  return { code: 200, message: 'success', data: body }
}

function refusal(statusCode: number, message: string): Error & { statusCode: number } {
  return Object.assign(new Error(message), { statusCode })
}
