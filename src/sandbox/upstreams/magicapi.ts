import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Flavor, magicapiProducts } from '../../../providers/magicapi/models.ts'
import { magicapiSchema } from '../../../providers/magicapi/schema.ts'
import { at, text } from '../../../providers/reader.ts'
import { type BodySchema, describe, findViolations } from '../../../providers/schema.ts'
import { endingOf, type Sandbox, type SandboxStage, type SandboxTask, stageOf } from '../mock-upstream.ts'

/** The form of the product `capix`, after its numbers have been read. */
const capixSchema: BodySchema = {
  target_url: { type: 'url', required: true },
  swap_url: { type: 'url', required: true },
  target_face_index: { type: 'integer', min: -1 },
}

/** A stand-in for the three face swap products. A trigger word goes into one of the links. */
export const sandbox: Sandbox = {
  name: 'magicapi',
  mount(app, stage) {
    app.register(async (scope) => {
      scope.addHook('onRequest', requireKey)
      scope.addContentTypeParser(
        'application/x-www-form-urlencoded',
        { parseAs: 'string' },
        (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
      )
      mountServerless(scope, stage, 'v3')
      mountServerless(scope, stage, 'v2')
      mountCapix(scope, stage)
    })
  },
}

async function requireKey({ headers }: FastifyRequest, reply: FastifyReply) {
  const key = headers['x-api-market-key'] ?? headers['x-magicapi-key']
  if (key === undefined || key === '') return reply.code(401).send({ message: 'Invalid API key' })
}

function mountServerless(app: FastifyInstance, stage: SandboxStage, flavor: Flavor): void {
  const path = magicapiProducts[flavor]

  app.post(`${path}/run`, { config: { operation: 'submit' } }, async ({ body }, reply) => {
    const input = at(body, 'input')
    const wrong = violation(input, magicapiSchema)
    if (wrong !== undefined) return reply.code(422).send({ message: wrong })
    const task = await start(stage, flavor, input)
    return { id: task.id, status: 'IN_QUEUE' }
  })

  app.get<{ Params: { id: string } }>(
    `${path}/status/:id`,
    { config: { operation: 'poll' } },
    async ({ params }, reply) => {
      const task = await find(stage, flavor, params.id)
      return task === undefined ? notFound(reply) : { id: task.id, ...job(task, stage) }
    },
  )
}

function mountCapix(app: FastifyInstance, stage: SandboxStage): void {
  const path = magicapiProducts.capix

  app.post(`${path}/run`, { config: { operation: 'submit' } }, async ({ body }, reply) => {
    const wrong = violation(withNumbers(body), capixSchema)
    if (wrong !== undefined) return reply.code(400).send({ message: wrong })
    const task = await start(stage, 'capix', body)
    return { image_process_response: { request_id: task.id, status: 'OK', description: '' } }
  })

  app.post(`${path}/result/`, { config: { operation: 'poll' } }, async ({ body }, reply) => {
    const task = await find(stage, 'capix', text(body, 'request_id') ?? '')
    if (task === undefined) return notFound(reply)
    const { status, error, output } = job(task, stage)
    const shown = {
      COMPLETED: { status: 'OK', ...(output?.video_url !== undefined && { result_url: output.video_url }) },
      FAILED: { status: 'ERROR', error_message: error },
    }[status] ?? { status: 'InProgress', description: '' }
    return { image_process_response: { request_id: task.id, ...shown } }
  })
}

/** Both links, perhaps the number of a face, and nothing else. */
function violation(fields: unknown, schema: BodySchema): string | undefined {
  const [wrong] = findViolations(schema, fields)
  if (wrong !== undefined) return `${wrong.field} ${describe(wrong)}`
  return endingOf(fields) === 'invalid' ? 'No face found in the image: sandbox:invalid' : undefined
}

/** A form has texts only. */
function withNumbers(form: unknown): unknown {
  const face = text(form, 'target_face_index')
  return face === undefined ? form : { ...(form as object), target_face_index: Number(face) }
}

async function start(stage: SandboxStage, endpoint: Flavor, fields: unknown): Promise<SandboxTask> {
  const body = fields as SandboxTask['body']
  const task = { id: randomUUID(), endpoint, body, createdAt: stage.now() }
  await stage.tasks.put(task)
  return task
}

async function find(stage: SandboxStage, flavor: Flavor, id: string): Promise<SandboxTask | undefined> {
  const task = await stage.tasks.get(id)
  return task?.endpoint === flavor ? task : undefined
}

function notFound(reply: FastifyReply) {
  return reply.code(404).send({ message: 'Not found' })
}

type Job = { status: string; error?: string; output?: { video_url?: string } }

function job(task: SandboxTask, stage: SandboxStage): Job {
  const { step } = stageOf(task, stage)
  if (step !== 'ended') return { status: step === 'queued' ? 'IN_QUEUE' : 'IN_PROGRESS' }
  switch (endingOf(task.body)) {
    case 'fail':
      return { status: 'FAILED', error: 'The worker failed.' }
    case 'refuse':
      return { status: 'FAILED', error: 'NSFW content detected.' }
    case 'empty':
      return { status: 'COMPLETED', output: {} }
    default:
      return { status: 'COMPLETED', output: { video_url: stage.videoUrl(task.id) } }
  }
}
