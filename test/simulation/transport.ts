import { fault } from '../../providers/faults.ts'
import type { Call, Provider, Reply } from '../../providers/provider.ts'
import type { CallResult, Transport } from '../../src/upstreams/transport.ts'
import type { CallType, Hit } from './faults.ts'
import type { Moment, RedisServer } from './redis-server.ts'
import type { Submission, Task, Upstream } from './upstream.ts'
import type { Actor, World } from './world.ts'

const types: Readonly<Record<string, CallType>> = {
  '/purchase': 'purchase',
  '/poll': 'poll',
  '/find': 'find',
  '/list': 'find',
  '/stop': 'stop',
}

type Received = { path: string; body: Body; hits: readonly Hit[]; buyer: Actor; intent: Moment | undefined }

type Body = Submission & { id: string; after: number }

/** The calls of one worker to the simulated upstreams. */
export function createTransport(
  world: World,
  {
    actor,
    server,
    upstreams,
    timeoutMs,
  }: { actor: Actor; server: RedisServer; upstreams: Readonly<Record<string, Upstream>>; timeoutMs: number },
): Transport {
  async function send(provider: Provider, _config: unknown, { path, json }: Call): Promise<CallResult> {
    const upstream = upstreams[provider.name]
    if (upstream === undefined) throw new Error(`no upstream ${provider.name}`)
    const body = json as unknown as Body
    const type = types[path] ?? 'poll'
    const what = body.jobId ?? (path === '/find' ? '' : (body.id ?? body.prompt))
    const began = world.now()
    let delayMs = 0
    const sent = await world.call(
      actor,
      { type, label: `${provider.name} ${path} ${labelOf(path, what)}` },
      async (hits) => {
        delayMs = hits.find(({ kind }) => kind === 'slow')?.ms ?? 0
        return respond(upstream, {
          path,
          body,
          hits,
          buyer: actor,
          intent: server.lastWrite(actor, body.jobId),
        })
      },
    )
    if (sent.kind === 'lost') await actor.sleep(delayMs)
    else if (delayMs > 0) await actor.sleep(Math.min(delayMs, timeoutMs))
    // A process that was frozen finds its time limit passed, as one whose reply is too slow.
    if (sent.kind === 'reply' && world.now() - began >= timeoutMs) return lost('timeout')
    const purchase = upstream.purchases.findLast(
      ({ buyer, jobId }) => buyer === actor && jobId === body.jobId,
    )
    if (type === 'purchase' && sent.kind === 'reply' && sent.reply.status === 200 && purchase)
      purchase.replied = true
    return sent
  }

  return { send, close: async () => undefined }
}

/** Runware's polls name the attempt, which differs from run to run. */
function labelOf(path: string, what: unknown): string {
  return path === '/poll' || path === '/stop' ? String(what).replace(/^.{30,}$/, '') : String(what ?? '')
}

function respond(upstream: Upstream, { path, body, hits, ...buyer }: Received): CallResult {
  const hit = (kind: Hit['kind']) => hits.find((one) => one.kind === kind)
  const replyLost = hit('replyLost')
  if (replyLost !== undefined && replyLost.executed !== true)
    return replyLost.error === 'unsent' ? unsent() : lost('reset')
  const refused = hit('refused')
  if (refused !== undefined) return reply(Number(refused.error ?? 429))
  if (hit('pollFails') !== undefined) return reply(500)
  const sent = handle(upstream, { path, body, hits, ...buyer })
  return replyLost === undefined ? sent : lost('reset')
}

function handle(upstream: Upstream, { path, body, hits, buyer, intent }: Received): CallResult {
  if (path === '/purchase') return reply(200, { id: upstream.buy(body, hits, buyer, intent).id })
  if (path === '/list')
    return reply(200, { tasks: upstream.list(body.prompt, body.after).map((task) => show(upstream, task)) })
  const forgets = hits.find(({ kind }) => kind === 'forgets')
  const task = path === '/find' ? upstream.find(body.attempt) : taskOf(upstream, body.id)
  if (task !== undefined && forgets !== undefined) task.forgottenUntil = task.at + (forgets.ms ?? 0)
  if (task === undefined || upstream.visible(task.id) === undefined) return reply(404)
  if (path === '/stop') upstream.stop(task.id)
  return reply(200, show(upstream, task))
}

/** If the upstream uses our ID for the task, polls use that one. */
function taskOf(upstream: Upstream, id: string): Task | undefined {
  return upstream.tasks.get(id) ?? upstream.find(id)
}

function show(upstream: Upstream, task: Task): object {
  const state = upstream.stateOf(task)
  return { id: task.id, state, ...(state === 'done' && { url: `sim://${upstream.name}/${task.id}` }) }
}

function reply(status: number, body: unknown = {}): CallResult {
  const plain: Reply = { status, headers: {}, body, baseUrl: '' }
  return { kind: 'reply', reply: plain }
}

function lost(reason: string): CallResult {
  return { kind: 'lost', fault: fault('upstream_unreachable', reason) }
}

function unsent(): CallResult {
  return { kind: 'unsent', fault: fault('upstream_unreachable', 'connection refused') }
}
