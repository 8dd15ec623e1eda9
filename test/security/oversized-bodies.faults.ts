import assert from 'node:assert/strict'
import diagnostics from 'node:diagnostics_channel'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { operatorKey, startBackend } from '../accounts/test-accounts.ts'
import { waitUntil } from '../faults/jobs.ts'
import { type GatewayProcess, memoryOf, startProcess, stopProcess } from '../support/gateway-process.ts'
import { createCleanup, startTestGateway } from '../support/setup.ts'
import { plainPath } from './access-rules.ts'
import { type Oversized, oversized, sendOversized } from './oversized-bodies.ts'

type Route = { method: string; url: string }
type Seen = { longestWaitMs: number; longestTurnMs: number; peakMb: number; count: number }

const megabyte = 1024 * 1024
const stallSeconds = 3
/** CPU time of the longest turn of the event loop, in which no other request is served. */
const maxTurnMs = 500
const mostMemoryMb = 150
/** For what a timeout of the gateway ends: two minutes, also on a busy machine. */
const patience = { times: 1200, everyMs: 100 }

describe('oversized bodies to every route', () => {
  const cleanup = createCleanup()
  const routes: Route[] = []
  let gateway: GatewayProcess
  let port = 0
  let key = ''
  let probe: Worker
  let startMb = 0
  let idleMb = 0
  let tempDir = ''

  before(async () => {
    const backend = await startBackend(cleanup, {
      // As `npm start` and the image have it.
      NODE_OPTIONS: `--max-semi-space-size=16 --import=${import.meta.resolve('./event-loop-turns.ts')}`,
      CONNECTION_STALL_SECONDS: String(stallSeconds),
      LIBRARY_RPM: '1000000',
      EXTEND_RPM: '1000000',
      RECOVER_RPM: '1000000',
    })
    routes.push(...(await routesOf(backend.env)))
    key = (await backend.ledger.createAccount({ name: 'oversized', rpm: 1_000_000 })).key
    tempDir = join(backend.env.DATA_DIR, 'scratch')
    gateway = await startProcess(backend.env)
    cleanup.add(() => stopProcess(gateway))
    port = Number(new URL(gateway.address).port)
    probe = new Worker(new URL('./health-probe.ts', import.meta.url), {
      workerData: { address: gateway.address, pid: gateway.child.pid },
    })
    cleanup.add(() => probe.terminate())
    // Every route has been used: code is compiled, and the heap is as large as its replies need.
    for (let round = 0; round < 5; round += 1)
      await Promise.all(routes.map((route) => send(route, oversized.spaces as Oversized, 1000)))
    startMb = memoryOf(gateway)
  })
  after(() => cleanup.run())

  async function routesOf(env: Record<string, string>): Promise<Route[]> {
    const result: Route[] = []
    const listen = (message: unknown) => {
      const { fastify } = message as { fastify: FastifyInstance }
      fastify.addHook('onRoute', ({ method, url }: RouteOptions) => {
        for (const one of [method].flat()) result.push({ method: one, url })
      })
    }
    const own = createCleanup()
    diagnostics.subscribe('fastify.initialization', listen)
    await startTestGateway(own, { ...env, ROLE: 'api' })
    diagnostics.unsubscribe('fastify.initialization', listen)
    await own.run()
    return [...new Map(result.map((route) => [`${route.method} ${route.url}`, route])).values()]
  }

  async function seen(): Promise<Seen> {
    const reply = once(probe, 'message')
    probe.postMessage('report')
    const [measured] = (await reply) as [Omit<Seen, 'longestTurnMs'>]
    return { ...measured, longestTurnMs: await readLongestTurn() }
  }

  /** The gateway prints it on a signal. */
  async function readLongestTurn(): Promise<number> {
    const start = gateway.written.length
    const find = () => gateway.written.slice(start).find((line) => line.startsWith('longest turn'))
    gateway.child.kill('SIGWINCH')
    assert.ok(await waitUntil(() => find() !== undefined, { everyMs: 10 }), 'the gateway does not answer')
    return Number(/\d+/.exec(find() ?? '')?.[0])
  }

  /** The whole size for the first prefix of each path; the same handler has less under the others. */
  function bytesFor(route: Route): number {
    const first = routes.find(
      ({ method, url }) => method === route.method && plainPath(url) === plainPath(route.url),
    )
    return first === route ? 32 * megabyte : 4 * megabyte
  }

  const pathOf = ({ url }: Route) =>
    url.replace(/:\w+/g, 'none').replace(/^\*$/, '/none').replace('*', 'none')

  async function send(route: Route, body: Oversized, bytes = bytesFor(route)): Promise<string> {
    const ownKey = route.url.includes('/admin/') ? operatorKey : key
    return sendOversized({
      port,
      method: route.method,
      path: pathOf(route),
      key: ownKey,
      body,
      bytes,
    })
  }

  /** What has been seen until now does not count. */
  async function begin(): Promise<void> {
    await seen()
    idleMb = memoryOf(gateway)
  }

  function check(what: string, { longestWaitMs, longestTurnMs, peakMb, count }: Seen): void {
    const turn = `longest turn of the event loop ${longestTurnMs} ms`
    const memory = `memory ${idleMb} -> ${peakMb} MB (${startMb} MB at the start)`
    report(`${what}: longest wait of ${count} other requests ${longestWaitMs} ms, ${turn}, ${memory}`)
    assert.ok(peakMb - idleMb < mostMemoryMb, `memory grew from ${idleMb} to ${peakMb} MB`)
  }

  /** Not for many small requests: a process that had to wait for the CPU finds all of them at once, and serves them in one turn. */
  function assertNobodyWaits({ longestTurnMs }: Seen): void {
    assert.ok(longestTurnMs < maxTurnMs, `every other request waited for ${longestTurnMs} ms of CPU time`)
  }

  async function nothingLeft(): Promise<void> {
    // The probe of the storage writes there too.
    const files = async () => (await readdir(tempDir)).filter((name) => name.startsWith('file.'))
    await waitUntil(async () => (await files()).length === 0, { everyMs: 20 })
    assert.deepEqual(await files(), [])
  }

  it('the list of routes is complete', () => {
    report(`${routes.length} routes: ${routes.map(({ method, url }) => `${method} ${url}`).join(', ')}`)
    assert.ok(routes.length > 150, String(routes.length))
  })

  for (const [what, body] of Object.entries(oversized))
    it(`${what}, 32 MB: every route replies, and other requests are not delayed`, async () => {
      await begin()
      const statuses = new Map<string, number>()
      const wrong: string[] = []
      const queue = [...routes]
      const work = async () => {
        for (let route = queue.shift(); route !== undefined; route = queue.shift()) {
          const status = await send(route, body)
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
          if (!/^[234]\d\d$|^503$/.test(status)) wrong.push(`${route.method} ${route.url}: ${status}`)
        }
      }
      await Promise.all([work(), work(), work(), work()])
      const counts = [...statuses].map(([status, count]) => `${status} x ${count}`).join(', ')
      const measured = await seen()
      check(`${what} (${counts})`, measured)
      assertNobodyWaits(measured)
      assert.deepEqual(wrong, [])
      await nothingLeft()
    })

  it('many at once: those that do not fit get 503', async () => {
    await begin()
    const submit = routes.find(
      ({ method, url }) => method === 'POST' && url === '/api/generate-video',
    ) as Route
    const kinds = ['a data URL', 'an escaped data URL', 'long keys', 'one string', 'empty strings'] as const
    const bodies = kinds.flatMap((kind) => oversized[kind] ?? [])
    const statuses = await Promise.all(
      Array.from({ length: 200 }, (_, at) => send(submit, bodies[at % bodies.length] as Oversized)),
    )
    const counts = Object.entries(Object.groupBy(statuses, (status) => status))
    const measured = await seen()
    check(`200 at once (${counts.map(([status, all]) => `${status} x ${all?.length}`)})`, measured)
    assertNobodyWaits(measured)
    for (const status of statuses) assert.match(status, /^(400|413|503)$/)
    await nothingLeft()
  })

  it('half-sent requests to every route are closed', async () => {
    await begin()
    const sockets = routes.flatMap((route) =>
      ['application/json', 'multipart/form-data; boundary=b'].map((type) => {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => undefined).resume()
        const ownKey = route.url.includes('/admin/') ? operatorKey : key
        socket.write(
          `${route.method} ${pathOf(route)} HTTP/1.1\r\nHost: a\r\nX-API-Key: ${ownKey}\r\nContent-Type: ${type}\r\nContent-Length: 100000\r\n\r\n${type.startsWith('m') ? '--b\r\nContent-Disposition: form-data; name="image"\r\n\r\nx' : '{"prompt":"'}`,
        )
        return socket
      }),
    )
    const open = () => sockets.filter((socket) => !socket.closed).length
    await waitUntil(() => open() === 0, patience)
    check(`${sockets.length} half-sent requests`, await seen())
    assert.equal(open(), 0, `${open()} of ${sockets.length} half-sent requests are not closed`)
    await nothingLeft()
  })

  it('connections with unread replies are closed', async () => {
    await begin()
    const sockets = Array.from({ length: 50 }, () => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined).pause()
      socket.write('GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(30))
      return socket
    })
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    const ports = sockets.map((socket) => socket.localPort ?? 0)
    const open = () => countConnections(gateway.child.pid ?? 0, port, ports)
    assert.equal(await open(), sockets.length)
    await waitUntil(async () => (await open()) === 0, patience)
    check(`${sockets.length} stalled readers`, await seen())
    const remaining = await open()
    assert.equal(remaining, 0, `${remaining} of ${sockets.length} connections are not closed`)
    for (const socket of sockets) socket.destroy()
  })
})

function report(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Established connections of the listening port `to` that come from one of `ports`, as the kernel has them. */
async function countConnections(pid: number, to: number, ports: readonly number[]): Promise<number> {
  const hex = (number: number) => number.toString(16).toUpperCase().padStart(4, '0')
  const remote = `(${ports.map(hex).join('|')})`
  const established = new RegExp(`^\\s*\\d+: [0-9A-F]{8}:${hex(to)} [0-9A-F]{8}:${remote} 01 `)
  const lines = (await readFile(`/proc/${pid}/net/tcp`, 'utf8')).split('\n')
  return lines.filter((line) => established.test(line)).length
}
