import { fault } from '../../providers/faults.ts'
import type { Order, Outcome, Provider, ProviderName, Reply } from '../../providers/provider.ts'
import type { Routing } from '../../src/upstreams/routing.ts'

/** How an upstream lets a lost reply be found. */
const kinds = {
  fal: 'callback',
  wavespeed: 'list',
  runware: 'ownId',
} as const

export type SimulatedName = keyof typeof kinds

export const simulatedNames = Object.keys(kinds) as SimulatedName[]

type Body = {
  id?: string
  state?: string
  url?: string
  tasks?: { id: string; state: string; url?: string }[]
}

/** Adapters of the simulated upstreams: the three kinds of the real ones, with a wire format that holds only what matters. */
export const providers = Object.fromEntries(
  simulatedNames.map((name) => [name, createProvider(name)]),
) as unknown as Record<ProviderName, Provider>

function createProvider(name: SimulatedName): Provider {
  const kind = kinds[name]
  const ticketOf = (id: string) => (kind === 'ownId' ? { taskUUID: id } : { id })
  const idOf = (ticket: object) => String(Reflect.get(ticket, kind === 'ownId' ? 'taskUUID' : 'id'))
  const call = (path: string, json?: object) =>
    ({ method: 'POST', path, ...(json && { json: json as never }) }) as const

  function outcomeOf({ id = '', state, url = '' }: Body): Outcome {
    if (state === 'done') return { kind: 'done', videos: [{ url }] }
    if (state === 'running') return { kind: 'running', ticket: ticketOf(id), stage: 'processing' }
    return { kind: 'failed', fault: fault('upstream_error', `${name}: ${state}`) }
  }

  const provider: Provider = {
    name,
    title: name,
    hosts: {},
    models: { video: { endpoints: {}, toRequest: () => ({ endpoint: '', body: {} }) } },
    submit: (_, request) => call('/purchase', submissionOf(request)),
    accept(reply, { attempt }) {
      if (reply.status >= 400 && reply.status < 500)
        return {
          kind: 'failed',
          fault: fault(reply.status === 429 ? 'rate_limited' : 'no_credit', 'refused'),
        }
      if (reply.status >= 500) return { kind: 'unclear', fault: fault('upstream_error', 'trouble') }
      return {
        kind: 'running',
        ticket: ticketOf(kind === 'ownId' ? attempt : String(bodyOf(reply).id)),
        stage: 'queued',
      }
    },
    poll: (ticket) => call('/poll', { id: idOf(ticket) }),
    read(reply, ticket) {
      if (reply.status === 404) return { kind: 'unclear', fault: fault('task_lost', 'no such task') }
      if (reply.status >= 500) return { kind: 'unclear', fault: fault('upstream_error', 'trouble') }
      return outcomeOf({ ...bodyOf(reply), id: idOf(ticket) })
    },
    task: { id: idOf, reference: ticketOf },
    cancel: (ticket) => call('/stop', { id: idOf(ticket) }),
    adopt(body, { attempt }) {
      const { task, attempt: attemptId } = Object(body) as { task?: unknown; attempt?: unknown }
      if (kind === 'ownId') return attemptId === attempt ? ticketOf(attempt) : undefined
      return typeof task === 'string' ? ticketOf(task) : undefined
    },
    mediaTransfer: () => 'link',
  }
  if (kind === 'ownId')
    provider.find = {
      call: (_, { attempt }) => call('/find', { attempt }),
      read(reply, { attempt }) {
        if (reply.status >= 500) return { kind: 'unclear', fault: fault('upstream_error', 'trouble') }
        return reply.status === 404 ? { kind: 'absent' } : outcomeOf({ ...bodyOf(reply), id: attempt })
      },
      safeToResend: true,
    }
  if (kind === 'list')
    provider.find = {
      call: (_, request) =>
        call('/list', { prompt: String(request.input.prompt), after: request.at.getTime() }),
      read(reply) {
        if (reply.status >= 500) return { kind: 'unclear', fault: fault('upstream_error', 'trouble') }
        const tasks = (bodyOf(reply).tasks ?? []).map((task) => ({
          ticket: ticketOf(task.id),
          outcome: outcomeOf(task),
        }))
        return { kind: 'candidates', tasks, same: true }
      },
      safeToResend: false,
    }
  return provider
}

function submissionOf(request: Order): object {
  const { jobId, attempt, input, callbackUrl } = request
  return { jobId, attempt, prompt: input.prompt, ...(callbackUrl !== undefined && { callback: callbackUrl }) }
}

function bodyOf(reply: Reply): Body {
  return Object(reply.body) as Body
}

/** What the engine knows of them: each renders the one model there is. */
export const routing = {
  find: (_: unknown, name: ProviderName) => {
    const provider = providers[name]
    const mapping = provider?.models.video
    return mapping === undefined ? undefined : { provider, mapping }
  },
} as unknown as Routing

export const settingsOf = () => ({})
