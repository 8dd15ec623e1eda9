import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { at, number, text } from '../reader.ts'
import { endingOf, type Sandbox, type SandboxStage, type SandboxTask, stageOf } from '../sandbox.ts'

type Body = Readonly<Record<string, unknown>>
type Submit = { Body: Body | null }
type Create = Submit & { Params: { slug: string } }
type Status = { Querystring: { runId?: string } }

const short: Readonly<Record<string, string>> = {
  prompt: 'string',
  script: 'string',
  directorNotes: 'string',
  shortRequestEnhancer: 'boolean',
  scriptConfig: 'object',
  imageConfig: 'object',
  videoConfig: 'object',
  voiceoverConfig: 'object',
  captionsConfig: 'object',
  effectsConfig: 'object',
  musicConfig: 'object',
  templateConfig: 'object',
  quality: 'string',
  aspectRatio: 'string',
}

const universe: Readonly<Record<string, string>> = {
  prompt: 'string',
  duration: 'string',
  userScript: 'string',
  animationPreset: 'string',
  animation: 'boolean',
  language: 'string',
  characters: 'object',
  visualStyleId: 'string',
  removeWatermark: 'boolean',
}

/** A stand-in for longstories.ai that is strict where the real one may only be careful: a field that it does not list is a 400. */
export const sandbox: Sandbox = {
  name: 'longstories',
  mount(app, stage) {
    app.register(async (scope) => {
      scope.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) =>
        refuse(reply, error.statusCode ?? 500, error.message),
      )
      scope.addHook('onRequest', requireKey)
      mountRuns(scope, stage)
    })
  },
}

async function requireKey({ headers }: FastifyRequest): Promise<void> {
  if ((headers['x-api-key'] ?? '') === '')
    throw Object.assign(new Error('Invalid API key'), { statusCode: 401 })
}

function mountRuns(app: FastifyInstance, stage: SandboxStage): void {
  async function create(reply: FastifyReply, endpoint: string, body: Body, wrong: string | undefined) {
    if (wrong !== undefined || endingOf(body) === 'invalid') {
      return refuse(reply, 400, wrong ?? 'The story could not be read')
    }
    const id = `run_${randomUUID().replaceAll('-', '')}`
    await stage.tasks.put({ id, endpoint, body, createdAt: stage.now() })
    return envelope({ id, projectId: `proj_${id.slice(4)}` })
  }

  app.post<Submit>('/short', { config: { operation: 'submit' } }, async ({ body }, reply) =>
    create(reply, '/short', body ?? {}, wrongShort(body ?? {})),
  )

  app.post<Create>(
    '/universe/:slug/create',
    { config: { operation: 'submit' } },
    async ({ params, body }, reply) =>
      create(reply, `/universe/${params.slug}/create`, body ?? {}, wrongUniverse(body ?? {})),
  )

  app.get<Status>('/short', { config: { operation: 'poll' } }, async ({ query }, reply) => {
    const task = query.runId === undefined ? undefined : await stage.tasks.get(query.runId)
    return task === undefined ? refuse(reply, 404, 'Run not found') : envelope(shown(task, stage))
  })
}

function wrongShort(body: Body): string | undefined {
  const strange = strangeField(body, short)
  if (strange !== undefined) return `${strange} is not valid`
  if ((text(body, 'prompt') === undefined) === (text(body, 'script') === undefined)) {
    return 'Give either prompt or script'
  }
  const seconds = number(body, 'scriptConfig', 'targetLengthInSeconds') ?? 30
  if (seconds < 5 || seconds > 600) return 'scriptConfig.targetLengthInSeconds is not valid'
  return ['16:9', '9:16', undefined].some((ratio) => ratio === body.aspectRatio)
    ? undefined
    : 'aspectRatio is not valid'
}

function wrongUniverse(body: Body): string | undefined {
  const strange = strangeField(body, universe)
  if (strange !== undefined) return `${strange} is not valid`
  if (text(body, 'prompt') === undefined && text(body, 'userScript') === undefined)
    return 'prompt is required'
  const durations = ['15', '30', '60', '180', '300', '600']
  return durations.includes(String(at(body, 'duration') ?? '60')) ? undefined : 'duration is not valid'
}

function strangeField(body: Body, schema: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(body).find((name) => !Object.hasOwn(schema, name) || typeof body[name] !== schema[name])
}

/** A run as its status shows it. */
function shown(task: SandboxTask, stage: SandboxStage) {
  const { step } = stageOf(task, stage)
  if (step === 'queued') return run('QUEUED', false)
  if (step === 'running') return run('EXECUTING', false)
  switch (endingOf(task.body)) {
    case 'refuse':
      return run('FAILED', true, { error: { message: 'The script was refused by moderation', details: {} } })
    case 'fail':
      return run('CRASHED', true, { error: 'The run crashed' })
    case 'empty':
      return run('COMPLETED', true, { isSuccess: true })
    default:
      return run('COMPLETED', true, {
        isSuccess: true,
        output: { url: stage.videoUrl(task.id), size: 15728640 },
      })
  }
}

function run(status: string, isCompleted: boolean, ending: Body = {}) {
  return { status, isCompleted, isSuccess: false, output: null, error: null, ...ending }
}

function envelope<Shown>(shown: Shown) {
  return { data: shown, requestId: `req_${randomUUID()}` }
}

function refuse(reply: FastifyReply, status: number, message: string) {
  return reply.code(status).send({ error: { code: `HTTP_${status}`, message, details: {} } })
}
