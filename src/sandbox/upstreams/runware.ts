import { randomUUID } from 'node:crypto'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { JsonObject } from '../../../providers/input.ts'
import { at, list, number, text } from '../../../providers/reader.ts'
import { findTaskViolations, type TaskViolation } from '../../../providers/runware/validation.ts'
import { describe } from '../../../providers/schema.ts'
import {
  type MockContext,
  type MockTask,
  type MockUpstream,
  renderProgressOf,
  simulatedEndOf,
} from '../mock-upstream.ts'

/** Images travel inside the request, as base64. */
const bodyLimit = 64 * 1024 * 1024

/** The reply to a task: a row of `data`, a row of `errors`, or neither if it is unknown. */
type TaskReply = { row?: JsonObject; error?: JsonObject }

/** A mock of api.runware.ai: one path, a list of tasks in, their rows out. Refuses what a model's schema does not list. */
export const runwareMock: MockUpstream = {
  name: 'runware',
  operationOf,
  mount(app, context) {
    app.register(async (scope) => {
      scope.setErrorHandler<FastifyError>((_error, _request, reply) =>
        refuseAll(reply, 400, 'invalidRequest'),
      )
      scope.post('/v1', { bodyLimit, config: { operation: 'any' } }, async (request, reply) => {
        if (!Array.isArray(request.body)) return refuseAll(reply, 400, 'invalidRequest')
        const key = keyOf(request)
        if (key === undefined || key === 'wrong') {
          return refuseAll(reply, 401, 'invalidApiKey', { parameter: 'apiKey', taskType: 'authentication' })
        }
        const replies: TaskReply[] = []
        for (const task of request.body) replies.push(await replyTo(task, context))
        const errors = replies.flatMap(({ error }) => error ?? [])
        const rows = { data: replies.flatMap(({ row }) => row ?? []) }
        return errors.length === 0 ? rows : reply.code(400).send({ ...rows, errors })
      })
    })
  },
}

/** All calls share one path; the tasks say what a call does. */
function operationOf(body: unknown): string {
  const kinds = list(body).map((task) => text(task, 'taskType') ?? '')
  if (kinds.includes('videoInference')) return 'submit'
  if (kinds.includes('getResponse')) return 'poll'
  return kinds.some((kind) => kind === 'imageUpload' || kind === 'mediaStorage') ? 'upload' : 'other'
}

/** A header, or a first task that does nothing else. */
function keyOf({ headers, body }: FastifyRequest): string | undefined {
  const bearer = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1]
  const authentication = list(body).find((task) => text(task, 'taskType') === 'authentication')
  return bearer ?? text(authentication, 'apiKey')
}

async function replyTo(task: unknown, context: MockContext): Promise<TaskReply> {
  const taskType = text(task, 'taskType') ?? ''
  if (taskType === 'authentication') return { row: { taskType, connectionSessionUUID: randomUUID() } }
  if (taskType === 'ping') return { row: { taskType, pong: true } }
  const taskUUID = text(task, 'taskUUID') ?? ''
  const about = { taskType, taskUUID }
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(taskUUID))
    return refuse(about, 'invalidTaskUUID', 'taskUUID')
  const media = randomUUID()
  switch (taskType) {
    case 'videoInference':
      return submit(task as JsonObject, about, context)
    case 'getResponse':
      return poll(taskUUID, context)
    case 'accountManagement':
      return { row: { ...about, operation: 'getDetails', balance: { amount: 100, currency: 'USD' } } }
    case 'imageUpload':
      if (text(task, 'image') === undefined) return refuse(about, 'missingImage', 'image')
      return { row: { ...about, imageUUID: media, imageURL: `https://im.runware.ai/${media}.png` } }
    case 'mediaStorage':
      if (text(task, 'media') === undefined) return refuse(about, 'missingMedia', 'media')
      return {
        row: { ...about, operation: 'upload', mediaUUID: media, mediaURL: `https://vm.runware.ai/${media}` },
      }
    default:
      return refuse(about, 'invalidTaskType', 'taskType')
  }
}

async function submit(task: JsonObject, about: About, context: MockContext): Promise<TaskReply> {
  const [violation] = findTaskViolations(task)
  if (violation !== undefined) return { error: { ...about, ...errorFields(violation) } }
  if (simulatedEndOf(task) === 'invalid') return refuse(about, 'invalidPositivePrompt', 'positivePrompt')
  if ((await context.tasks.get(about.taskUUID)) !== undefined)
    return refuse(about, 'conflictTaskUUID', 'taskUUID')
  const hook = text(task, 'webhookURL')
  await context.tasks.put({
    id: about.taskUUID,
    endpoint: text(task, 'model') ?? '',
    body: task,
    createdAt: context.now(),
    ...(hook !== undefined && { hook }),
  })
  return { row: about }
}

/** An unknown task is left out of the reply. */
async function poll(taskUUID: string, context: MockContext): Promise<TaskReply> {
  const task = await context.tasks.get(taskUUID)
  if (task === undefined) return {}
  const about = { taskType: 'videoInference', taskUUID }
  const { step, progress } = renderProgressOf(task, context)
  if (step !== 'ended')
    return { row: { ...about, status: 'processing', ...(step === 'running' && { progress }) } }
  const end = simulatedEndOf(task.body)
  if (end === 'fail') {
    return {
      error: {
        ...about,
        ...failed,
        code: 'providerError',
        message: 'The provider failed to render the video.',
      },
    }
  }
  if (end === 'refuse') return { error: { ...about, ...failed, ...moderated } }
  return { row: { ...about, status: 'success', ...(end !== 'empty' && result(task, context)) } }
}

const failed = { status: 'error', documentation: 'https://runware.ai/docs' }

const moderated = {
  code: 'invalidProviderContent',
  message: 'Invalid content detected. The provider refused the task in its content moderation.',
  responseContent: 'The safety settings filtered out 1 videos. You will not be charged.',
}

/** AIR ID -> what Runware reports as the cost. */
const usdPerSecond: Readonly<Record<string, number>> = {
  'klingai:5@1': 0.037,
  'klingai:5@2': 0.06468,
  'klingai:5@3': 0.1848,
  'klingai:6@0': 0.042,
  'google:3@1': 0.1,
  'vidu:1@1': 0.044,
  'pixverse:1@3': 0.0598,
  'pixverse:1@5': 0.0598,
}

function result({ id, endpoint, body }: MockTask, context: MockContext): JsonObject {
  const usd = (usdPerSecond[endpoint] ?? 0) * (number(body, 'duration') ?? 5)
  return {
    videoUUID: id,
    videoURL: context.videoUrl(id),
    seed: number(body, 'seed') ?? 42,
    ...(at(body, 'includeCost') === true && { cost: Math.round(usd * 1e4) / 1e4 }),
  }
}

type About = { taskType: string; taskUUID: string }

function refuse(about: About, code: string, parameter: string): TaskReply {
  return { error: { ...about, ...errorFields({ code, parameter }) } }
}

function errorFields({ code, parameter, allowedValues, of }: TaskViolation): JsonObject {
  const names = [parameter].flat().join(', ')
  const type = of?.schema === undefined ? undefined : [of.schema.type].flat().join('|')
  return {
    code,
    message: `Invalid value for '${names}' parameter${of === undefined ? '.' : `: it ${describe(of)}.`}`,
    parameter,
    ...(type !== undefined && { type }),
    documentation: 'https://runware.ai/docs',
    ...(allowedValues !== undefined && { allowedValues: allowedValues.map(String) }),
  }
}

function refuseAll(reply: FastifyReply, status: number, code: string, more: JsonObject = {}): FastifyReply {
  const message = status === 401 ? 'Invalid API key.' : 'The request must be a list of tasks.'
  return reply.code(status).send({ errors: [{ code, message, ...more }] })
}
