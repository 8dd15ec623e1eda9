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
import { endingOf, type Sandbox, type SandboxStage, type SandboxTask, stageOf } from '../mock-upstream.ts'
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

/** A stand-in for api.wavespeed.ai that is strict where the real one may only be careful: a field that a path does not list is a 400. */
export const sandbox: Sandbox = {
  name: 'wavespeed',
  mount(app, stage) {
    app.register(async (scope) => {
      scope.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
        const code = error.statusCode ?? 500
        return reply.code(code).send({ code, message: error.message })
      })
      scope.setNotFoundHandler((_request, reply) => reply.code(404).send({ code: 404, message: 'Not found' }))
      scope.register(async (keyed) => {
        keyed.addHook('onRequest', requireKey)
        mountPredictions(keyed, stage)
      })
      scope.register(async (files) => mountUploads(files, stage, requireKey))
    })
  },
}

async function requireKey(request: FastifyRequest): Promise<void> {
  if (!/^Bearer \S+$/.test(request.headers.authorization ?? '')) throw refusal(401, 'Unauthorized')
}

function mountPredictions(app: FastifyInstance, stage: SandboxStage): void {
  const poll = { config: { operation: 'poll' } }

  app.post<Submit>('/api/v3/*', { config: { operation: 'submit' } }, async (request) => {
    const endpoint = request.params['*']
    const schema = schemaOf(wavespeedSchemas, endpoint)
    if (schema === undefined) throw refusal(404, 'model not found')
    const [wrong] = findViolations({ ...protocolFields, ...schema }, request.body ?? {})
    if (wrong !== undefined) throw refusal(400, wordingOf(wrong))
    const { webhook } = request.query
    const waits = request.body.enable_sync_mode === true
    if (waits && webhook !== undefined) throw refusal(400, 'sync mode does not support a webhook')
    const task: SandboxTask = {
      id: randomUUID().replaceAll('-', ''),
      endpoint,
      body: request.body,
      createdAt: stage.now(),
      ...(webhook !== undefined && { hook: webhook }),
    }
    await stage.tasks.put(task)
    return success(waits ? await finished(task, stage) : prediction(task, stage))
  })

  for (const path of ['/api/v3/predictions/:id/result', '/api/v3/predictions/:id']) {
    app.get<{ Params: { id: string } }>(path, poll, async (request) =>
      success(prediction(await find(stage, request.params.id), stage)),
    )
  }

  app.delete<{ Params: { id: string } }>(
    '/api/v3/predictions/:id',
    { config: { operation: 'cancel' } },
    async (request) => {
      const task = await find(stage, request.params.id)
      await cancel(stage, task)
      return success({ id: task.id, status: 'deleted' })
    },
  )

  app.post<{ Body: { ids?: readonly string[] } }>(
    '/api/v3/predictions/delete',
    { config: { operation: 'cancel' } },
    async (request) => {
      const known = (await tasksOf(stage)).filter(({ id }) => request.body?.ids?.includes(id))
      for (const task of known) await cancel(stage, task)
      return success({ deleted_count: known.length })
    },
  )

  app.post<{ Body: Search }>('/api/v3/predictions', { config: { operation: 'list' } }, async (request) => {
    const search = request.body ?? {}
    const { page = 1, page_size: size = 20 } = search
    const items = (await tasksOf(stage))
      .map((task) => ({ task, item: prediction(task, stage) }))
      .filter(({ task, item }) => answers(search, task, item.status))
      .slice((page - 1) * size, page * size)
      .map(({ task, item }) => (search.include_inputs === true ? { ...item, inputs: task.body } : item))
    return success({ page, items })
  })

  app.get('/api/v3/balance', { config: { operation: 'balance' } }, async () => success({ balance: 100 }))
}

/** In sync mode the submit is answered with the end of the task, or with what it is when the wait has run out. */
async function finished(task: SandboxTask, stage: SandboxStage) {
  for (let looks = 0; looks < 20; looks += 1) {
    const current = (await stage.tasks.get(task.id)) ?? task
    if (stageOf(current, stage).step === 'ended') return prediction(current, stage)
    await sleep(stage.renderMs / 10)
  }
  const error = 'Sync mode timed out. The task goes on; ask for its result.'
  return { ...prediction(task, stage), status: 'processing', code: 5004, error }
}

/** In the words of a JSON Schema validator. */
function wordingOf(violation: Violation): string {
  const { kind } = violation
  const [name = ''] = violation.field.split('.')
  if (kind === 'unknown') return `property "${name}" is unsupported`
  if (kind === 'missing') return `property "${name}" is missing`
  return `property "${name}" has an invalid value: it ${describe(violation)}`
}

function answers(search: Search, task: SandboxTask, status: string): boolean {
  const { model = task.endpoint, status: wanted = status, created_after, created_before } = search
  const after = created_after === undefined || task.createdAt >= Date.parse(created_after)
  const before = created_before === undefined || task.createdAt <= Date.parse(created_before)
  return model === task.endpoint && wanted === status && after && before
}

/** Newest first. */
async function tasksOf(stage: SandboxStage): Promise<SandboxTask[]> {
  const ours = (await stage.tasks.list()).filter(({ endpoint }) => Object.hasOwn(wavespeedSchemas, endpoint))
  return ours.toSorted((a, b) => b.createdAt - a.createdAt)
}

async function find(stage: SandboxStage, id: string): Promise<SandboxTask> {
  const task = await stage.tasks.get(id)
  if (task === undefined || !Object.hasOwn(wavespeedSchemas, task.endpoint))
    throw refusal(404, 'Prediction not found')
  return task
}

async function cancel(stage: SandboxStage, task: SandboxTask): Promise<void> {
  await stage.tasks.put({ ...task, canceledAt: task.canceledAt ?? stage.now() })
}

/** A task as WaveSpeed shows it. A deleted one stays readable here, so that a client can see what became of it. */
function prediction(task: SandboxTask, stage: SandboxStage) {
  const shown = {
    id: task.id,
    model: task.endpoint,
    outputs: [] as string[],
    urls: { get: `${stage.baseUrl('api')}/api/v3/predictions/${task.id}/result` },
    has_nsfw_contents: null as boolean[] | null,
    status: 'created',
    created_at: new Date(task.createdAt).toISOString(),
    error: '',
    timings: { inference: 0 },
  }
  if (task.canceledAt !== undefined) return { ...shown, status: 'deleted' }
  const { step } = stageOf(task, stage)
  if (step === 'queued') return { ...shown, has_nsfw_contents: [] }
  if (step === 'running') return { ...shown, status: 'processing' }
  return { ...shown, timings: { inference: stage.renderMs }, ...end(task, stage) }
}

function end(task: SandboxTask, stage: SandboxStage) {
  switch (endingOf(task.body)) {
    case 'refuse':
      return failed(1200, 'Content flagged as potentially sensitive. Please try different prompts or images.')
    case 'invalid':
      return failed(1402, 'The media URL could not be fetched.')
    case 'fail':
      return failed(1405, 'The task failed.')
    case 'empty':
      return { status: 'completed', has_nsfw_contents: [] }
    default:
      return { status: 'completed', outputs: [stage.videoUrl(task.id)], has_nsfw_contents: [false] }
  }
}

function failed(code: number, error: string) {
  return { status: 'failed', code, error }
}

function success<Shown>(shown: Shown) {
  return { code: 200, message: 'success', data: shown }
}

function refusal(statusCode: number, message: string): Error & { statusCode: number } {
  return Object.assign(new Error(message), { statusCode })
}
