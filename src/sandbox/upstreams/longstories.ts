import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { longstoriesShortSchema, longstoriesUniverseSchema } from '../../../providers/longstories/schema.ts'
import { text } from '../../../providers/reader.ts'
import { type BodySchema, describe, findViolations } from '../../../providers/schema.ts'
import { endingOf, type Sandbox, type SandboxStage, type SandboxTask, stageOf } from '../mock-upstream.ts'

type Body = Readonly<Record<string, unknown>>
type Submit = { Body: Body | null }
type Create = Submit & { Params: { slug: string } }
type Status = { Querystring: { runId?: string } }

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
  const wrong = firstViolation(longstoriesShortSchema, body)
  if (wrong !== undefined) return wrong
  const both = (text(body, 'prompt') === undefined) === (text(body, 'script') === undefined)
  return both ? 'Give either prompt or script' : undefined
}

function wrongUniverse(body: Body): string | undefined {
  const wrong = firstViolation(longstoriesUniverseSchema, body)
  if (wrong !== undefined) return wrong
  const words = text(body, 'prompt') ?? text(body, 'userScript') ?? text(body, 'voiceoverKey')
  return words === undefined ? 'prompt is required' : undefined
}

function firstViolation(schema: BodySchema, body: Body): string | undefined {
  const [wrong] = findViolations(schema, body)
  return wrong === undefined ? undefined : `${wrong.field} is not valid: it ${describe(wrong)}`
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
