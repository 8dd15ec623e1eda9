import { randomInt } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { midjourneySchema } from '../../../providers/midjourney/schema.ts'
import { describe, findViolations } from '../../../providers/schema.ts'
import {
  type MockContext,
  type MockTask,
  type MockUpstream,
  renderProgressOf,
  simulatedEndOf,
} from '../mock-upstream.ts'

type Body = Readonly<Record<string, unknown>>
type ById = { Params: { id: string } }

const submitPath = '/mj/submit/video'

/** A mock of an mj-proxy; stricter than the real one may be: an unlisted field is a code 4. */
export const midjourneyMock: MockUpstream = {
  name: 'midjourney',
  mount(app, context) {
    app.register(async (scope) => {
      scope.addHook('onRequest', requireSecret)
      mountTasks(scope, context)
    })
  },
}

async function requireSecret({ headers }: FastifyRequest): Promise<void> {
  if ((headers['mj-api-secret'] ?? headers.authorization ?? '') === '') {
    throw Object.assign(new Error('Unauthorized'), { statusCode: 401 })
  }
}

function mountTasks(app: FastifyInstance, context: MockContext): void {
  app.post<{ Body: Body | null }>(submitPath, { config: { operation: 'submit' } }, async (request, reply) => {
    const body = request.body ?? {}
    const parent = typeof body.taskId === 'string' ? await context.tasks.get(body.taskId) : undefined
    if (body.action === 'extend' && parent === undefined) {
      return reply.code(404).send({ code: 3, description: 'The parent task was not found' })
    }
    const violation =
      violationOf(body) ??
      (parent && !succeeded(parent, context) ? 'The parent task is not finished' : undefined)
    if (violation !== undefined || simulatedEndOf(body) === 'invalid') {
      return { code: 4, description: violation ?? 'The image could not be read' }
    }
    const id = await newId(context)
    const hook = typeof body.notifyHook === 'string' ? { hook: body.notifyHook } : {}
    await context.tasks.put({ id, endpoint: submitPath, body, createdAt: context.now(), ...hook })
    return { code: 1, description: 'Submit success', result: id, properties: { discordInstanceId: '1000' } }
  })

  app.get<ById>('/mj/task/:id/fetch', { config: { operation: 'poll' } }, async (request, reply) => {
    const task = await context.tasks.get(request.params.id)
    return task === undefined ? reply.code(204).send() : recordOf(task, context)
  })

  app.post<ById>('/mj/task/:id/cancel', { config: { operation: 'cancel' } }, async (request) => {
    const task = await context.tasks.get(request.params.id)
    if (task === undefined) return { code: 3, description: 'The task was not found' }
    if (renderProgressOf(task, context).step !== 'ended') {
      await context.tasks.put({ ...task, canceledAt: task.canceledAt ?? context.now() })
    }
    return { code: 1, description: 'Cancelled', result: task.id }
  })

  app.post<{ Body: { ids?: readonly string[] } | null }>(
    '/mj/task/list-by-condition',
    { config: { operation: 'list' } },
    async (request) => {
      const tasks = await Promise.all((request.body?.ids ?? []).map((id) => context.tasks.get(id)))
      return tasks.filter((task) => task !== undefined).map((task) => recordOf(task, context))
    },
  )
}

/** Unix milliseconds and three digits, as the proxy creates IDs; other processes create some at the same time. */
async function newId(context: MockContext): Promise<string> {
  for (;;) {
    const id = `${context.now()}${String(randomInt(1000)).padStart(3, '0')}`
    if ((await context.tasks.get(id)) === undefined) return id
  }
}

function violationOf(body: Body): string | undefined {
  const [violation] = findViolations(midjourneySchema, body, { nullIsAbsent: true })
  if (violation !== undefined) return `${violation.field} ${describe(violation)}`
  const isImage = /^(https?:\/\/\S|data:image\/|[\w+/]{32,}=*$)/.test(String(body.image ?? ''))
  return body.action === undefined && !isImage ? 'image is not valid' : undefined
}

function succeeded(task: MockTask, context: MockContext): boolean {
  return recordOf(task, context).status === 'SUCCESS'
}

/** A task as the fetch route returns it. */
function recordOf(task: MockTask, context: MockContext) {
  const { step, progress } = renderProgressOf(task, context)
  const record = {
    id: task.id,
    action: 'VIDEO',
    status: step === 'queued' ? 'SUBMITTED' : 'IN_PROGRESS',
    progress: `${progress}%`,
    prompt: task.body.prompt,
    submitTime: task.createdAt,
    finishTime: null as number | null,
    failReason: null as string | null,
    imageUrl: null,
    videoUrl: null as string | null,
    videoUrls: null as readonly { url: string; thumbnail: null }[] | null,
    state: task.body.state,
  }
  if (task.canceledAt !== undefined) return failed(record, task.canceledAt, 'The task was cancelled')
  if (step !== 'ended') return record
  const finishTime = task.createdAt + context.renderMs
  const end = simulatedEndOf(task.body)
  if (end === 'refuse') return failed(record, finishTime, 'Banned prompt detected')
  if (end === 'fail') return failed(record, finishTime, 'The account could not render the task')
  const clips = end === 'empty' ? [] : [0, 1, 2, 3].map((clip) => context.videoUrl(`${task.id}-${clip}`))
  return {
    ...record,
    status: 'SUCCESS',
    progress: '100%',
    finishTime,
    videoUrl: clips[0] ?? null,
    videoUrls: clips.map((url) => ({ url, thumbnail: null })),
  }
}

function failed<Record extends object>(record: Record, finishTime: number, failReason: string) {
  return { ...record, status: 'FAILURE', progress: '', finishTime, failReason }
}
