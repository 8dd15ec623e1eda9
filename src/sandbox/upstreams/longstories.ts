import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { longstoriesShortSchema, longstoriesUniverseSchema } from '../../../providers/longstories/schema.ts'
import { text } from '../../../providers/reader.ts'
import { type BodySchema, describe, findViolations } from '../../../providers/schema.ts'
import {
  type MockContext,
  type MockTask,
  type MockUpstream,
  renderProgressOf,
  simulatedEndOf,
} from '../mock-upstream.ts'

type Body = Readonly<Record<string, unknown>>
type Submit = { Body: Body | null }
type Create = Submit & { Params: { slug: string } }
type Status = { Querystring: { runId?: string } }

/** A mock of longstories.ai; stricter than the real one may be: an unlisted field is a 400. */
export const longstoriesMock: MockUpstream = {
  name: 'longstories',
  mount(app, context) {
    app.register(async (scope) => {
      scope.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) =>
        refuse(reply, error.statusCode ?? 500, error.message),
      )
      scope.addHook('onRequest', requireKey)
      mountRuns(scope, context)
    })
  },
}

async function requireKey({ headers }: FastifyRequest): Promise<void> {
  if ((headers['x-api-key'] ?? '') === '')
    throw Object.assign(new Error('Invalid API key'), { statusCode: 401 })
}

function mountRuns(app: FastifyInstance, context: MockContext): void {
  async function create(reply: FastifyReply, endpoint: string, body: Body, violation: string | undefined) {
    if (violation !== undefined || simulatedEndOf(body) === 'invalid') {
      return refuse(reply, 400, violation ?? 'The story could not be read')
    }
    const id = `run_${randomUUID().replaceAll('-', '')}`
    await context.tasks.put({ id, endpoint, body, createdAt: context.now() })
    return envelope({ id, projectId: `proj_${id.slice(4)}` })
  }

  app.post<Submit>('/short', { config: { operation: 'submit' } }, async ({ body }, reply) =>
    create(reply, '/short', body ?? {}, shortViolation(body ?? {})),
  )

  app.post<Create>(
    '/universe/:slug/create',
    { config: { operation: 'submit' } },
    async ({ params, body }, reply) =>
      create(reply, `/universe/${params.slug}/create`, body ?? {}, universeViolation(body ?? {})),
  )

  app.get<Status>('/short', { config: { operation: 'poll' } }, async ({ query }, reply) => {
    const task = query.runId === undefined ? undefined : await context.tasks.get(query.runId)
    return task === undefined ? refuse(reply, 404, 'Run not found') : envelope(runOf(task, context))
  })
}

function shortViolation(body: Body): string | undefined {
  const violation = firstViolation(longstoriesShortSchema, body)
  if (violation !== undefined) return violation
  const hasBothOrNone = (text(body, 'prompt') === undefined) === (text(body, 'script') === undefined)
  return hasBothOrNone ? 'Give either prompt or script' : undefined
}

function universeViolation(body: Body): string | undefined {
  const violation = firstViolation(longstoriesUniverseSchema, body)
  if (violation !== undefined) return violation
  const story = text(body, 'prompt') ?? text(body, 'userScript') ?? text(body, 'voiceoverKey')
  return story === undefined ? 'prompt is required' : undefined
}

function firstViolation(schema: BodySchema, body: Body): string | undefined {
  const [violation] = findViolations(schema, body)
  return violation === undefined ? undefined : `${violation.field} is not valid: it ${describe(violation)}`
}

function runOf(task: MockTask, context: MockContext) {
  const { step } = renderProgressOf(task, context)
  if (step === 'queued') return run('QUEUED', false)
  if (step === 'running') return run('EXECUTING', false)
  switch (simulatedEndOf(task.body)) {
    case 'refuse':
      return run('FAILED', true, { error: { message: 'The script was refused by moderation', details: {} } })
    case 'fail':
      return run('CRASHED', true, { error: 'The run crashed' })
    case 'empty':
      return run('COMPLETED', true, { isSuccess: true })
    default:
      return run('COMPLETED', true, {
        isSuccess: true,
        output: { url: context.videoUrl(task.id), size: 15728640 },
      })
  }
}

function run(status: string, isCompleted: boolean, ending: Body = {}) {
  return { status, isCompleted, isSuccess: false, output: null, error: null, ...ending }
}

function envelope<Body>(body: Body) {
  return { data: body, requestId: `req_${randomUUID()}` }
}

function refuse(reply: FastifyReply, status: number, message: string) {
  return reply.code(status).send({ error: { code: `HTTP_${status}`, message, details: {} } })
}
