import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { defaultRequestLimits, type RequestLimits } from '../../../src/config/request-limits.ts'
import { asAlice, startGateway, twoPeople } from '../gateway.ts'

const stallMs = 300

async function start(t: TestContext, changes: Partial<RequestLimits> = {}) {
  const requestLimits = { ...defaultRequestLimits, stallMs, ...changes }
  const { app } = await startGateway(t, {
    authenticator: twoPeople,
    config: { bodyLimitBytes: 1_000_000, requestLimits },
  })
  app.get('/large', (_request, reply) => reply.send(Readable.from(pieces())))
  app.get('/slow', async () => {
    await sleep(4 * stallMs)
    return { done: true }
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const sockets: Socket[] = []
  t.after(() => sockets.forEach((socket) => void socket.destroy()))
  return {
    app,
    open(): Socket {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined)
      sockets.push(socket)
      return socket
    },
  }
}

function* pieces() {
  for (let count = 0; count < 1000; count += 1) yield Buffer.alloc(64 * 1024, 'x')
}

const head = (method: string, path: string, headers: Record<string, string> = {}) =>
  [
    `${method} ${path} HTTP/1.1`,
    'host: test',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ]
    .map((line) => `${line}\r\n`)
    .join('')

async function everything(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (piece) => {
    text += piece
  })
  // A connection that is reset has an error too.
  await new Promise((resolve) => socket.once('close', resolve))
  return text
}

const key = { ...asAlice, 'content-type': 'application/json' }

describe('a connection', () => {
  it('without a complete request is closed with 408', async (t) => {
    const { open } = await start(t)
    const unfinished = `${head('POST', '/api/price', { ...key, 'content-length': '1000' })}\r\n{"model":`
    const large = `${head('POST', '/api/price', { ...key, 'content-length': '100000' })}\r\n{"model":`
    const form = { ...key, 'content-type': 'multipart/form-data; boundary=b', 'content-length': '100000' }
    const half = `${head('POST', '/v1/videos', form)}\r\n--b\r\nContent-Disposition: form-data; name="image"\r\n\r\nx`
    for (const text of ['', head('GET', '/health'), unfinished, large, half]) {
      const socket = open()
      socket.write(text)
      const reply = await everything(socket)
      assert.match(reply, /^HTTP\/1\.1 408 /)
      assert.match(reply, /"code":"timeout"/)
    }
  })

  it('whose client does not read its reply is closed', async (t) => {
    const { open, app } = await start(t)
    const socket = open()
    socket.pause()
    socket.write(`${head('GET', '/large')}\r\n`)
    const [served] = (await once(app.server, 'connection')) as [Socket]
    await once(served, 'close')
  })

  it('stays open while its request is processed', async (t) => {
    const { open } = await start(t)
    const socket = open()
    socket.write(`${head('GET', '/slow', { connection: 'close' })}\r\n`)
    assert.match(await everything(socket), /"done":true/)
  })

  it('with a slow body stays open, unless it is too slow', async (t) => {
    for (const [bytesPerSecond, status] of [
      [10, 400],
      [1_000_000, 408],
    ] as const) {
      const { open } = await start(t, { bytesPerSecond })
      const socket = open()
      const reply = everything(socket)
      socket.write(
        `${head('POST', '/api/price', { ...key, connection: 'close', 'content-length': '70000' })}\r\n`,
      )
      for (let sent = 0; sent < 7 && !socket.destroyed; sent += 1) {
        socket.write(Buffer.alloc(10_000, ' '))
        await sleep(stallMs / 3)
      }
      assert.match(await reply, new RegExp(`^HTTP/1.1 ${status} `))
    }
  })

  it('with an unread body is closed after its reply and a part of the body', async (t) => {
    const { open } = await start(t, { stallMs: 60_000 })
    const before = process.memoryUsage.rss()
    for (const line of [
      'POST /nowhere',
      'GET /health',
      'POST /api/price',
      'OPTIONS /health',
      'DELETE /api/jobs/vid_1',
    ]) {
      const [method = '', path = ''] = line.split(' ')
      const socket = open()
      socket.write(
        `${head(method, path, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' })}\r\n`,
      )
      const reply = everything(socket)
      const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
      const more = () => {
        while (!socket.destroyed && socket.write(chunk));
      }
      socket.on('drain', more)
      more()
      assert.match(await reply, /^HTTP\/1\.1 \d{3} /, line)
    }
    assert.ok(process.memoryUsage.rss() - before < 150_000_000)
  })

  it('beyond the limit is closed at once', async (t) => {
    const { open } = await start(t, { connections: 2 })
    const [first, second] = [open(), open()]
    await Promise.all([once(first, 'connect'), once(second, 'connect')])
    assert.equal(await everything(open()), '')
    first.write(`${head('GET', '/health', { connection: 'close' })}\r\n`)
    assert.match(await everything(first), /^HTTP\/1\.1 200 /)
  })
})
