import { randomInt } from 'node:crypto'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { visualPlatforms } from '../../../providers/bytedance/visual/index.ts'
import { visualSchema } from '../../../providers/bytedance/visual/schema.ts'
import { sha256 } from '../../../providers/bytedance/visual/signature.ts'
import { text } from '../../../providers/reader.ts'
import { describe, findViolations } from '../../../providers/schema.ts'
import { type MockContext, type MockTask, renderProgressOf, simulatedEndOf } from '../mock-upstream.ts'

type Call = { Querystring: { Action?: string; Version?: string }; Body: string }

const authorization =
  /^HMAC-SHA256 Credential=\S+\/\d{8}\/[\w-]+\/cv\/request, SignedHeaders=[\w;-]*host;x-content-sha256;x-date, Signature=[0-9a-f]{64}$/

/** A mock of the Visual API. It accepts any access key but checks the form of the signature. */
export function mountVisual(app: FastifyInstance, context: MockContext): void {
  // The hash in the signature is of the very bytes, so the body is parsed by hand.
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  )

  app.post<Call>('/', async (request, reply) => {
    const { headers, query, body } = request
    if (
      !authorization.test(headers.authorization ?? '') ||
      !/^\d{8}T\d{6}Z$/.test(String(headers['x-date']))
    ) {
      return gatewayError(reply, 401, 'MissingAuthenticationToken', 'The request is not signed.')
    }
    if (headers['x-content-sha256'] !== sha256(body)) {
      return gatewayError(reply, 401, 'SignatureDoesNotMatch', 'The hash is not that of the body.')
    }
    const isKnown = Object.values(visualPlatforms).some(({ version }) => version === query.Version)
    const task = parse(body)
    switch (isKnown ? query.Action : undefined) {
      case 'CVSubmitTask':
        // An operator may set another key than the one that the platform is known by.
        return submit(task, context)
      case 'CVGetResult':
        return poll(task, context)
      case 'CVCancelTask':
        return cancel(task, context)
      default:
        return gatewayError(
          reply,
          404,
          'InvalidActionOrVersion',
          'Could not find operation for this version.',
        )
    }
  })
}

async function submit(body: unknown, context: MockContext) {
  const [violation] = findViolations(visualSchema, body)
  if (violation !== undefined)
    return answer(50215, `Input invalid: ${violation.field} ${describe(violation)}`)
  const end = simulatedEndOf(body)
  if (end === 'invalid') return answer(50215, 'Input invalid: sandbox:invalid')
  if (end === 'refuse') return answer(50413, 'Post Text Risk Not Pass')
  const task: MockTask = {
    id: `${randomInt(10 ** 9, 10 ** 10)}${randomInt(10 ** 8, 10 ** 9)}`,
    endpoint: text(body, 'req_key') ?? '',
    body: body as MockTask['body'],
    createdAt: context.now(),
  }
  await context.tasks.put(task)
  return answer(10_000, 'Success', { task_id: task.id })
}

async function poll(query: unknown, context: MockContext) {
  const task = await find(query, context)
  return answer(10_000, 'Success', task === undefined ? { status: 'not_found' } : stateOf(task, context))
}

async function cancel(query: unknown, context: MockContext) {
  const task = await find(query, context)
  if (task === undefined) return answer(50215, 'Unknown task')
  if (renderProgressOf(task, context).step !== 'ended')
    await context.tasks.put({ ...task, canceledAt: context.now() })
  return answer(10_000, 'Success', {})
}

async function find(query: unknown, context: MockContext): Promise<MockTask | undefined> {
  const task = await context.tasks.get(text(query, 'task_id') ?? '')
  return task?.endpoint === text(query, 'req_key') ? task : undefined
}

/** A task that is to fail expires: the API has no other word for a task that ends without a reason. */
function stateOf(task: MockTask, context: MockContext) {
  if (task.canceledAt !== undefined) return { status: 'cancelled' }
  const { step } = renderProgressOf(task, context)
  if (step !== 'ended') return { status: step === 'queued' ? 'in_queue' : 'generating' }
  const end = simulatedEndOf(task.body)
  if (end === 'fail') return { status: 'expired' }
  return end === 'empty' ? { status: 'done' } : { status: 'done', video_url: context.videoUrl(task.id) }
}

function answer(code: number, message: string, content: object | null = null) {
  return {
    code,
    data: content,
    message,
    request_id: `sandbox-${randomInt(10 ** 9)}`,
    status: code,
    time_elapsed: '1ms',
  }
}

function gatewayError(reply: FastifyReply, status: number, code: string, message: string) {
  const metadata = { RequestId: `sandbox-${randomInt(10 ** 9)}`, Error: { Code: code, Message: message } }
  return reply.code(status).send({ ResponseMetadata: metadata })
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
