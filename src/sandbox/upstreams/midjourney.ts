import { randomInt } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { midjourneySchema } from '../../../providers/midjourney/schema.ts'
import { describe, findViolations } from '../../../providers/schema.ts'
import { endingOf, type Sandbox, type SandboxStage, type SandboxTask, stageOf } from '../mock-upstream.ts'

type Body = Readonly<Record<string, unknown>>
type ById = { Params: { id: string } }

const submitPath = '/mj/submit/video'

/** A stand-in for an mj-proxy that is strict where the real one may only be careful: a field that it does not list is a code 4. */
export const sandbox: Sandbox = {
  name: 'midjourney',
  mount(app, stage) {
    app.register(async (scope) => {
      scope.addHook('onRequest', requireSecret)
      mountTasks(scope, stage)
    })
  },
}

async function requireSecret({ headers }: FastifyRequest): Promise<void> {
  if ((headers['mj-api-secret'] ?? headers.authorization ?? '') === '') {
    throw Object.assign(new Error('Unauthorized'), { statusCode: 401 })
  }
}

function mountTasks(app: FastifyInstance, stage: SandboxStage): void {
  app.post<{ Body: Body | null }>(submitPath, { config: { operation: 'submit' } }, async (request, reply) => {
    const body = request.body ?? {}
    const parent = typeof body.taskId === 'string' ? await stage.tasks.get(body.taskId) : undefined
    if (body.action === 'extend' && parent === undefined) {
      return reply.code(404).send({ code: 3, description: 'The parent task was not found' })
    }
    const wrong =
      violation(body) ?? (parent && !succeeded(parent, stage) ? 'The parent task is not finished' : undefined)
    if (wrong !== undefined || endingOf(body) === 'invalid') {
      return { code: 4, description: wrong ?? 'The image could not be read' }
    }
    const id = await newId(stage)
    const hook = typeof body.notifyHook === 'string' ? { hook: body.notifyHook } : {}
    await stage.tasks.put({ id, endpoint: submitPath, body, createdAt: stage.now(), ...hook })
    return { code: 1, description: 'Submit success', result: id, properties: { discordInstanceId: '1000' } }
  })

  app.get<ById>('/mj/task/:id/fetch', { config: { operation: 'poll' } }, async (request, reply) => {
    const task = await stage.tasks.get(request.params.id)
    return task === undefined ? reply.code(204).send() : shown(task, stage)
  })

  app.post<ById>('/mj/task/:id/cancel', { config: { operation: 'cancel' } }, async (request) => {
    const task = await stage.tasks.get(request.params.id)
    if (task === undefined) return { code: 3, description: 'The task was not found' }
    if (stageOf(task, stage).step !== 'ended') {
      await stage.tasks.put({ ...task, canceledAt: task.canceledAt ?? stage.now() })
    }
    return { code: 1, description: 'Cancelled', result: task.id }
  })

  app.post<{ Body: { ids?: readonly string[] } | null }>(
    '/mj/task/list-by-condition',
    { config: { operation: 'list' } },
    async (request) => {
      const tasks = await Promise.all((request.body?.ids ?? []).map((id) => stage.tasks.get(id)))
      return tasks.filter((task) => task !== undefined).map((task) => shown(task, stage))
    },
  )
}

/** Unix milliseconds and three digits, as the proxy makes its IDs; other processes make some at the same time. */
async function newId(stage: SandboxStage): Promise<string> {
  for (;;) {
    const id = `${stage.now()}${String(randomInt(1000)).padStart(3, '0')}`
    if ((await stage.tasks.get(id)) === undefined) return id
  }
}

function violation(body: Body): string | undefined {
  const [wrong] = findViolations(midjourneySchema, body, { nullIsAbsent: true })
  if (wrong !== undefined) return `${wrong.field} ${describe(wrong)}`
  const isImage = /^(https?:\/\/\S|data:image\/|[\w+/]{32,}=*$)/.test(String(body.image ?? ''))
  return body.action === undefined && !isImage ? 'image is not valid' : undefined
}

function succeeded(task: SandboxTask, stage: SandboxStage): boolean {
  return shown(task, stage).status === 'SUCCESS'
}

/** A task as the fetch route shows it. */
function shown(task: SandboxTask, stage: SandboxStage) {
  const { step, progress } = stageOf(task, stage)
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
  const finishTime = task.createdAt + stage.renderMs
  const ending = endingOf(task.body)
  if (ending === 'refuse') return failed(record, finishTime, 'Banned prompt detected')
  if (ending === 'fail') return failed(record, finishTime, 'The account could not render the task')
  const clips = ending === 'empty' ? [] : [0, 1, 2, 3].map((clip) => stage.videoUrl(`${task.id}-${clip}`))
  return {
    ...record,
    status: 'SUCCESS',
    progress: '100%',
    finishTime,
    videoUrl: clips[0] ?? null,
    videoUrls: clips.map((url) => ({ url, thumbnail: null })),
  }
}

function failed<Shown extends object>(record: Shown, finishTime: number, failReason: string) {
  return { ...record, status: 'FAILURE', progress: '', finishTime, failReason }
}
