import { randomInt } from 'node:crypto'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { visualPlatforms } from '../../../providers/bytedance/visual/index.ts'
import { visualSchema } from '../../../providers/bytedance/visual/schema.ts'
import { sha256 } from '../../../providers/bytedance/visual/signature.ts'
import { text } from '../../../providers/reader.ts'
import { describe, findViolations } from '../../../providers/schema.ts'
import { endingOf, type SandboxStage, type SandboxTask, stageOf } from '../mock-upstream.ts'

type Asked = { Querystring: { Action?: string; Version?: string }; Body: string }

const authorization =
  /^HMAC-SHA256 Credential=\S+\/\d{8}\/[\w-]+\/cv\/request, SignedHeaders=[\w;-]*host;x-content-sha256;x-date, Signature=[0-9a-f]{64}$/

/** A stand-in for the Visual API. It takes any access key, but wants each call signed in due form. */
export function mountVisual(app: FastifyInstance, stage: SandboxStage): void {
  // The hash in the signature is of the very bytes, so the body is parsed by hand.
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  )

  app.post<Asked>('/', async (request, reply) => {
    const { headers, query, body } = request
    if (
      !authorization.test(headers.authorization ?? '') ||
      !/^\d{8}T\d{6}Z$/.test(String(headers['x-date']))
    ) {
      return gate(reply, 401, 'MissingAuthenticationToken', 'The request is not signed.')
    }
    if (headers['x-content-sha256'] !== sha256(body)) {
      return gate(reply, 401, 'SignatureDoesNotMatch', 'The hash is not that of the body.')
    }
    const isKnown = Object.values(visualPlatforms).some(({ version }) => version === query.Version)
    const asked = parse(body)
    switch (isKnown ? query.Action : undefined) {
      case 'CVSubmitTask':
        // An operator may set another key than the one that the platform is known by.
        return submit(asked, stage)
      case 'CVGetResult':
        return poll(asked, stage)
      case 'CVCancelTask':
        return cancel(asked, stage)
      default:
        return gate(reply, 404, 'InvalidActionOrVersion', 'Could not find operation for this version.')
    }
  })
}

async function submit(body: unknown, stage: SandboxStage) {
  const [wrong] = findViolations(visualSchema, body)
  if (wrong !== undefined) return answer(50215, `Input invalid: ${wrong.field} ${describe(wrong)}`)
  const ending = endingOf(body)
  if (ending === 'invalid') return answer(50215, 'Input invalid: sandbox:invalid')
  if (ending === 'refuse') return answer(50413, 'Post Text Risk Not Pass')
  const task: SandboxTask = {
    id: `${randomInt(10 ** 9, 10 ** 10)}${randomInt(10 ** 8, 10 ** 9)}`,
    endpoint: text(body, 'req_key') ?? '',
    body: body as SandboxTask['body'],
    createdAt: stage.now(),
  }
  await stage.tasks.put(task)
  return answer(10_000, 'Success', { task_id: task.id })
}

async function poll(asked: unknown, stage: SandboxStage) {
  const task = await find(asked, stage)
  return answer(10_000, 'Success', task === undefined ? { status: 'not_found' } : stateOf(task, stage))
}

async function cancel(asked: unknown, stage: SandboxStage) {
  const task = await find(asked, stage)
  if (task === undefined) return answer(50215, 'Unknown task')
  if (stageOf(task, stage).step !== 'ended') await stage.tasks.put({ ...task, canceledAt: stage.now() })
  return answer(10_000, 'Success', {})
}

async function find(asked: unknown, stage: SandboxStage): Promise<SandboxTask | undefined> {
  const task = await stage.tasks.get(text(asked, 'task_id') ?? '')
  return task?.endpoint === text(asked, 'req_key') ? task : undefined
}

/** A task that is to fail expires: the API has no other word for a task that ends without a reason. */
function stateOf(task: SandboxTask, stage: SandboxStage) {
  if (task.canceledAt !== undefined) return { status: 'cancelled' }
  const { step } = stageOf(task, stage)
  if (step !== 'ended') return { status: step === 'queued' ? 'in_queue' : 'generating' }
  const ending = endingOf(task.body)
  if (ending === 'fail') return { status: 'expired' }
  return ending === 'empty' ? { status: 'done' } : { status: 'done', video_url: stage.videoUrl(task.id) }
}

function answer(code: number, message: string, found: object | null = null) {
  return {
    code,
    data: found,
    message,
    request_id: `sandbox-${randomInt(10 ** 9)}`,
    status: code,
    time_elapsed: '1ms',
  }
}

function gate(reply: FastifyReply, status: number, code: string, message: string) {
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
