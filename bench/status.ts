import { setTimeout as sleep } from 'node:timers/promises'
import { closedLoop, type LoadResult, type RequestSpec, runSeconds } from './load.ts'
import { type Report, reportRuns } from './report.ts'
import type { Server } from './servers.ts'
import { formatNumber, median, runInterleaved } from './statistics.ts'
import { createSubmit, sendRequest, submitJob, type Testbed } from './testbed.ts'

const rounds = 3
/** V8 compiles in the background, on the same core. */
export const warmUpSeconds = 25
/** So that no reply is the last one again. */
const jobs = 100
const adminKey = 'bench-operator-key-0123456789'

/** The status of a finished job, the most frequent request. */
export async function measureStatus(report: Report, testbed: Testbed): Promise<void> {
  await testbed.configureStub({ delayMs: 0, renderMs: 0 })
  const gateway = await testbed.gateway({ POLL_MAX_MS: '50', ADMIN_KEY: adminKey, SUBMIT_RPM: '1000000' })
  const keyHeaders = { 'x-api-key': await createApiKey(gateway) }
  const ids = await Promise.all(Array.from({ length: jobs }, () => runJob(gateway, keyHeaders)))
  const [id = ''] = ids
  const statusSpec = { ...createStatusSpec(gateway, id, keyHeaders), paths: ids.map(statusPath) }

  const results = new Map<number, Record<string, LoadResult[]>>()
  for (const connections of [1, 16, 64]) {
    const createRun =
      (server: Server, spec: RequestSpec) =>
      (seconds = runSeconds) =>
        closedLoop(spec, { connections, seconds, pid: server.child.pid })
    const contestants: Record<string, (seconds?: number) => Promise<LoadResult>> = {
      Reelgate: createRun(gateway, statusSpec),
    }
    for (const { name, server, submit, status: createStatus } of testbed.others) {
      contestants[name] = createRun(server, createStatus(await submitJob(submit)))
    }
    contestants['bare Fastify route'] = createRun(testbed.route, {
      method: 'GET',
      url: `${testbed.route.url}/status`,
    })
    if (connections === 1) for (const warmUp of Object.values(contestants)) await warmUp(warmUpSeconds)
    results.set(connections, await runInterleaved(contestants, rounds))
  }
  report.section('Status of a finished job, with an API key')
  for (const [connections, roundResults] of results) reportRuns(report, connections, roundResults)
  await gateway.child.stop('SIGKILL')
  for (const connections of [16, 64]) {
    const medianOf = (name: string, pickFigure = ({ perSecond }: LoadResult) => perSecond) =>
      median((results.get(connections)?.[name] ?? []).map(pickFigure))
    const medianCpuUs = (name: string) => medianOf(name, ({ cpuUs }) => cpuUs)
    const bareRouteName = 'bare Fastify route'
    const ratioToPortkey = medianOf('Reelgate') / medianOf('Portkey')
    const shareOfBareRoute = medianOf('Reelgate') / medianOf(bareRouteName)
    report.claim({
      claim: `status, ${connections} connections: at least 20 x Portkey's`,
      result: `${formatNumber(ratioToPortkey, 1)} x; by CPU time ${formatNumber(medianCpuUs('Portkey') / medianCpuUs('Reelgate'), 1)} x`,
      isMet: ratioToPortkey >= 20,
    })
    report.claim({
      claim: `status, ${connections} connections: at least half of a bare route with a constant of the same size`,
      result: `${formatNumber(shareOfBareRoute * 100)} %; by CPU time ${formatNumber((medianCpuUs(bareRouteName) / medianCpuUs('Reelgate')) * 100)} %`,
      isMet: shareOfBareRoute >= 0.5,
    })
  }
}

export function createStatusSpec(
  { url }: Server,
  id: string,
  headers: Record<string, string> = {},
): RequestSpec {
  return { method: 'GET', url: url + statusPath(id), headers }
}

function statusPath(id: string): string {
  return `/api/video/status?requestId=${id}`
}

/** A job that has come to its end. */
export async function runJob(gateway: Server, headers: Record<string, string> = {}): Promise<string> {
  const id = await submitJob(createSubmit(gateway, undefined, headers))
  for (let tries = 0; tries < 1200; tries++) {
    const { text } = await sendRequest(createStatusSpec(gateway, id, headers))
    const { stage } = JSON.parse(text) as { stage?: string }
    if (stage === 'succeeded') return id
    if (stage === 'failed') throw new Error(`the job failed: ${text}`)
    await sleep(50)
  }
  throw new Error('the job did not end')
}

export async function createApiKey(gateway: Server): Promise<string> {
  const { status: code, text } = await sendRequest({
    method: 'POST',
    url: `${gateway.url}/api/admin/keys`,
    headers: { 'content-type': 'application/json', 'x-api-key': adminKey },
    body: JSON.stringify({ name: 'bench', rpm: 1_000_000 }),
  })
  if (code !== 201) throw new Error(`no key could be made: ${text}`)
  return (JSON.parse(text) as { key: string }).key
}
