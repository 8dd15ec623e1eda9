import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { findArkViolations, isArkModel } from '../../../providers/bytedance/ark/schema.ts'
import { at, list, text } from '../../../providers/reader.ts'
import { describe } from '../../../providers/schema.ts'
import { type MockContext, type MockTask, renderProgressOf, simulatedEndOf } from '../mock-upstream.ts'

type ById = { Params: { id: string } }
type Search = { Querystring: Readonly<Record<string, string | string[] | undefined>> }

const path = '/contents/generations/tasks'

/** A mock of Ark's task API. */
export function mountArk(app: FastifyInstance, context: MockContext): void {
  app.addHook('onRequest', requireKey)

  app.post(path, { config: { operation: 'submit' } }, async (request, reply) => {
    const { body } = request
    const violation = refusalOf(body)
    if (violation !== undefined) return refuse(reply, violation.status, violation.code, violation.message)
    switch (simulatedEndOf(body)) {
      case 'invalid':
        return refuse(
          reply,
          400,
          'InvalidParameter',
          'The parameter `content` is not valid: sandbox:invalid.',
        )
      case 'refuse':
        return refuse(
          reply,
          400,
          'InputTextSensitiveContentDetected',
          'The request failed because the input text may contain sensitive information.',
        )
      default: {
        const task = taskOf(body, context)
        await context.tasks.put(task)
        return { id: task.id }
      }
    }
  })

  app.get<ById>(`${path}/:id`, { config: { operation: 'poll' } }, async (request, reply) => {
    const task = await find(context, request.params.id)
    return task === undefined ? notFound(reply) : taskBody(task, context)
  })

  app.get<Search>(path, { config: { operation: 'list' } }, async ({ query }) => {
    const all = (await context.tasks.list()).filter(isOurs).filter((task) => !isDeleted(task, context))
    const ids = [query['filter.task_ids'] ?? []].flat()
    const matching = all
      .toSorted((a, b) => b.createdAt - a.createdAt)
      .map((task) => taskBody(task, context))
      .filter((task) => ids.length === 0 || ids.includes(task.id))
      .filter((task) => task.model === (query['filter.model'] ?? task.model))
      .filter((task) => task.status === (query['filter.status'] ?? task.status))
      .filter((task) => task.service_tier === (query['filter.service_tier'] ?? task.service_tier))
    const size = Number(query.page_size ?? 20)
    const from = (Number(query.page_num ?? 1) - 1) * size
    const items = matching
      .slice(from, from + size)
      .map(({ error, ...task }) => (error === null ? task : { ...task, failure_reason: error }))
    return { total: matching.length, items }
  })

  app.delete<ById>(`${path}/:id`, { config: { operation: 'cancel' } }, async (request, reply) => {
    const task = await find(context, request.params.id)
    if (task === undefined) return notFound(reply)
    if (taskBody(task, context).status === 'running') {
      return refuse(reply, 409, 'InvalidAction.RunningTaskDeletion', 'A running task cannot be deleted.')
    }
    await context.tasks.put({ ...task, canceledAt: task.canceledAt ?? context.now() })
    return {}
  })
}

type Refusal = { status: number; code: string; message: string }

/** Why Ark would reject the body. */
function refusalOf(body: unknown): Refusal | undefined {
  const model = text(body, 'model')
  const missing = model === undefined ? 'model' : at(body, 'content') === undefined ? 'content' : undefined
  if (missing !== undefined) {
    const message = `The request is missing the parameter \`${missing}\`.`
    return { status: 400, code: 'MissingParameter', message }
  }
  if (!isArkModel(model ?? '')) {
    const message = `The model or endpoint ${model} does not exist or you do not have access to it.`
    return { status: 404, code: 'InvalidEndpointOrModel.NotFound', message }
  }
  const [violation] = findArkViolations(body)
  if (violation === undefined) return undefined
  const message = `The parameter \`${violation.field}\` specified in the request is not valid: it ${describe(violation)}.`
  return { status: 400, code: 'InvalidParameter', message }
}

async function requireKey(request: FastifyRequest, reply: FastifyReply) {
  if (/^Bearer \S+$/.test(request.headers.authorization ?? '')) return
  return reply
    .code(401)
    .send(errorOf('AuthenticationError', 'The API key in the request is missing or invalid.', 'Unauthorized'))
}

function taskOf(body: unknown, context: MockContext): MockTask {
  const hook = text(body, 'callback_url')
  return {
    id: `cgt-${randomUUID()}`,
    endpoint: text(body, 'model') ?? '',
    body: body as MockTask['body'],
    createdAt: context.now(),
    ...(hook !== undefined && { hook }),
  }
}

async function find(context: MockContext, id: string): Promise<MockTask | undefined> {
  const task = await context.tasks.get(id)
  return task === undefined || !isOurs(task) || isDeleted(task, context) ? undefined : task
}

function isOurs({ id }: MockTask): boolean {
  return id.startsWith('cgt-')
}

/** A task deleted after its end is gone; one deleted while it waited remains as cancelled. */
function isDeleted(task: MockTask, context: MockContext): boolean {
  const { canceledAt } = task
  return (
    canceledAt !== undefined && renderProgressOf(task, { ...context, now: () => canceledAt }).step === 'ended'
  )
}

/** A task as Ark returns it. */
function taskBody(task: MockTask, context: MockContext) {
  const { body } = task
  const hasImage = list(body, 'content').some((item) => text(item, 'type') === 'image_url')
  return {
    id: task.id,
    model: task.endpoint,
    created_at: Math.floor(task.createdAt / 1000),
    updated_at: Math.floor(context.now() / 1000),
    seed: at(body, 'seed') ?? 78_674,
    resolution: at(body, 'resolution') ?? '1080p',
    ratio: at(body, 'ratio') ?? (hasImage ? 'adaptive' : '16:9'),
    duration: at(body, 'duration') ?? 5,
    framespersecond: 24,
    service_tier: at(body, 'service_tier') ?? 'default',
    execution_expires_after: at(body, 'execution_expires_after') ?? 172_800,
    ...stateOf(task, context),
  }
}

type State = {
  status: string
  error: { code: string; message: string } | null
  content?: object
  usage?: object
}

function stateOf(task: MockTask, context: MockContext): State {
  const { step } = renderProgressOf(task, context)
  if (task.canceledAt !== undefined) return { status: 'cancelled', error: null }
  if (step === 'queued' || step === 'running') return { status: step, error: null }
  const end = simulatedEndOf(task.body)
  if (end === 'fail') {
    const error = { code: 'InternalServiceError', message: 'The service encountered an unexpected error.' }
    return { status: 'failed', error }
  }
  return {
    status: 'succeeded',
    error: null,
    content: end === 'empty' ? {} : { video_url: context.videoUrl(task.id) },
    usage: { completion_tokens: 102_960, total_tokens: 102_960 },
  }
}

function notFound(reply: FastifyReply) {
  return refuse(reply, 404, 'ResourceNotFound', 'The specified task is not found.')
}

function refuse(reply: FastifyReply, status: number, code: string, message: string) {
  return reply.code(status).send(errorOf(code, message, status === 404 ? 'NotFound' : 'BadRequest'))
}

function errorOf(code: string, message: string, type: string) {
  return { error: { code, message: `${message} Request id: ${randomUUID()}`, param: '', type } }
}
