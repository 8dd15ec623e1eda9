import { setTimeout as sleep } from 'node:timers/promises'
import { ask, type Field, submitTo, submitted } from './field.ts'
import { closedLoop, type Measured, runSeconds, type Shot } from './load.ts'
import { interleaved, median, number } from './numbers.ts'
import { type Report, showRuns } from './report.ts'
import type { Server } from './servers.ts'

const rounds = 3
/** V8 compiles in the background, on the same core. */
export const warmUpSeconds = 25
/** So that no reply is the last one again. */
const jobs = 100
const adminKey = 'bench-operator-key-0123456789'

/** A finished job's status: what clients ask most. */
export async function status(report: Report, field: Field): Promise<void> {
  await field.settle({ delayMs: 0, renderMs: 0 })
  const gateway = await field.gateway({ POLL_MAX_MS: '50', ADMIN_KEY: adminKey, SUBMIT_RPM: '1000000' })
  const own = { 'x-api-key': await makeKey(gateway) }
  const ids = await Promise.all(Array.from({ length: jobs }, () => finished(gateway, own)))
  const [id = ''] = ids
  const looks = { ...statusOf(gateway, id, own), paths: ids.map(statusPath) }

  const results = new Map<number, Record<string, Measured[]>>()
  for (const connections of [1, 16, 64]) {
    const run =
      (server: Server, shot: Shot) =>
      (seconds = runSeconds) =>
        closedLoop(shot, { connections, seconds, pid: server.child.pid })
    const contestants: Record<string, (seconds?: number) => Promise<Measured>> = {
      Reelgate: run(gateway, looks),
    }
    for (const { name, server, submit, status: shotOf } of field.others) {
      contestants[name] = run(server, shotOf(await submitted(submit)))
    }
    contestants['bare Fastify route'] = run(field.route, { method: 'GET', url: `${field.route.url}/status` })
    if (connections === 1) for (const warmUp of Object.values(contestants)) await warmUp(warmUpSeconds)
    results.set(connections, await interleaved(contestants, rounds))
  }
  report.section('Status of a finished job, with an API key')
  for (const [connections, found] of results) showRuns(report, connections, found)
  await gateway.child.stop('SIGKILL')
  for (const connections of [16, 64]) {
    const of = (name: string, read = ({ perSecond }: Measured) => perSecond) =>
      median((results.get(connections)?.[name] ?? []).map(read))
    const cpu = (name: string) => of(name, ({ cpuUs }) => cpuUs)
    const bare = 'bare Fastify route'
    const times = of('Reelgate') / of('Portkey')
    const share = of('Reelgate') / of(bare)
    report.claim({
      claim: `status, ${connections} connections: at least 20 x Portkey's`,
      found: `${number(times, 1)} x; by CPU time ${number(cpu('Portkey') / cpu('Reelgate'), 1)} x`,
      holds: times >= 20,
    })
    report.claim({
      claim: `status, ${connections} connections: at least half of a bare route with a constant of the same size`,
      found: `${number(share * 100)} %; by CPU time ${number((cpu(bare) / cpu('Reelgate')) * 100)} %`,
      holds: share >= 0.5,
    })
  }
}

export function statusOf({ url }: Server, id: string, headers: Record<string, string> = {}): Shot {
  return { method: 'GET', url: url + statusPath(id), headers }
}

function statusPath(id: string): string {
  return `/api/video/status?requestId=${id}`
}

/** A job that has come to its end. */
export async function finished(gateway: Server, headers: Record<string, string> = {}): Promise<string> {
  const id = await submitted(submitTo(gateway, undefined, headers))
  for (let tries = 0; tries < 1200; tries++) {
    const { text } = await ask(statusOf(gateway, id, headers))
    const { stage } = JSON.parse(text) as { stage?: string }
    if (stage === 'succeeded') return id
    if (stage === 'failed') throw new Error(`the job failed: ${text}`)
    await sleep(50)
  }
  throw new Error('the job did not end')
}

export async function makeKey(gateway: Server): Promise<string> {
  const { status: code, text } = await ask({
    method: 'POST',
    url: `${gateway.url}/api/admin/keys`,
    headers: { 'content-type': 'application/json', 'x-api-key': adminKey },
    body: JSON.stringify({ name: 'bench', rpm: 1_000_000 }),
  })
  if (code !== 201) throw new Error(`no key could be made: ${text}`)
  return (JSON.parse(text) as { key: string }).key
}
