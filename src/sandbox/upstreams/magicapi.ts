import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Flavor, magicapiProducts } from '../../../providers/magicapi/models.ts'
import { magicapiSchema } from '../../../providers/magicapi/schema.ts'
import { at, text } from '../../../providers/reader.ts'
import { type BodySchema, describe, findViolations } from '../../../providers/schema.ts'
import {
  type MockContext,
  type MockTask,
  type MockUpstream,
  renderProgressOf,
  simulatedEndOf,
} from '../mock-upstream.ts'

/** The form of the product `capix`, after its numbers have been read. */
const capixSchema: BodySchema = {
  target_url: { type: 'url', required: true },
  swap_url: { type: 'url', required: true },
  target_face_index: { type: 'integer', min: -1 },
}

/** A mock of the three face swap products. Trigger words go into one of the links. */
export const magicapiMock: MockUpstream = {
  name: 'magicapi',
  mount(app, context) {
    app.register(async (scope) => {
      scope.addHook('onRequest', requireKey)
      scope.addContentTypeParser(
        'application/x-www-form-urlencoded',
        { parseAs: 'string' },
        (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
      )
      mountServerless(scope, context, 'v3')
      mountServerless(scope, context, 'v2')
      mountCapix(scope, context)
    })
  },
}

async function requireKey({ headers }: FastifyRequest, reply: FastifyReply) {
  const key = headers['x-api-market-key'] ?? headers['x-magicapi-key']
  if (key === undefined || key === '') return reply.code(401).send({ message: 'Invalid API key' })
}

function mountServerless(app: FastifyInstance, context: MockContext, flavor: Flavor): void {
  const path = magicapiProducts[flavor]

  app.post(`${path}/run`, { config: { operation: 'submit' } }, async ({ body }, reply) => {
    const input = at(body, 'input')
    const violation = violationOf(input, magicapiSchema)
    if (violation !== undefined) return reply.code(422).send({ message: violation })
    const task = await start(context, flavor, input)
    return { id: task.id, status: 'IN_QUEUE' }
  })

  app.get<{ Params: { id: string } }>(
    `${path}/status/:id`,
    { config: { operation: 'poll' } },
    async ({ params }, reply) => {
      const task = await find(context, flavor, params.id)
      return task === undefined ? notFound(reply) : { id: task.id, ...job(task, context) }
    },
  )
}

function mountCapix(app: FastifyInstance, context: MockContext): void {
  const path = magicapiProducts.capix

  app.post(`${path}/run`, { config: { operation: 'submit' } }, async ({ body }, reply) => {
    const violation = violationOf(withNumbers(body), capixSchema)
    if (violation !== undefined) return reply.code(400).send({ message: violation })
    const task = await start(context, 'capix', body)
    return { image_process_response: { request_id: task.id, status: 'OK', description: '' } }
  })

  app.post(`${path}/result/`, { config: { operation: 'poll' } }, async ({ body }, reply) => {
    const task = await find(context, 'capix', text(body, 'request_id') ?? '')
    if (task === undefined) return notFound(reply)
    const { status, error, output } = job(task, context)
    const fields = {
      COMPLETED: { status: 'OK', ...(output?.video_url !== undefined && { result_url: output.video_url }) },
      FAILED: { status: 'ERROR', error_message: error },
    }[status] ?? { status: 'InProgress', description: '' }
    return { image_process_response: { request_id: task.id, ...fields } }
  })
}

function violationOf(fields: unknown, schema: BodySchema): string | undefined {
  const [violation] = findViolations(schema, fields)
  if (violation !== undefined) return `${violation.field} ${describe(violation)}`
  return simulatedEndOf(fields) === 'invalid' ? 'No face found in the image: sandbox:invalid' : undefined
}

/** A form holds texts only. */
function withNumbers(form: unknown): unknown {
  const face = text(form, 'target_face_index')
  return face === undefined ? form : { ...(form as object), target_face_index: Number(face) }
}

async function start(context: MockContext, endpoint: Flavor, fields: unknown): Promise<MockTask> {
  const body = fields as MockTask['body']
  const task = { id: randomUUID(), endpoint, body, createdAt: context.now() }
  await context.tasks.put(task)
  return task
}

async function find(context: MockContext, flavor: Flavor, id: string): Promise<MockTask | undefined> {
  const task = await context.tasks.get(id)
  return task?.endpoint === flavor ? task : undefined
}

function notFound(reply: FastifyReply) {
  return reply.code(404).send({ message: 'Not found' })
}

type Job = { status: string; error?: string; output?: { video_url?: string } }

function job(task: MockTask, context: MockContext): Job {
  const { step } = renderProgressOf(task, context)
  if (step !== 'ended') return { status: step === 'queued' ? 'IN_QUEUE' : 'IN_PROGRESS' }
  switch (simulatedEndOf(task.body)) {
    case 'fail':
      return { status: 'FAILED', error: 'The worker failed.' }
    case 'refuse':
      return { status: 'FAILED', error: 'NSFW content detected.' }
    case 'empty':
      return { status: 'COMPLETED', output: {} }
    default:
      return { status: 'COMPLETED', output: { video_url: context.videoUrl(task.id) } }
  }
}
