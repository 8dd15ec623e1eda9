import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Input } from '../../../providers/input.ts'
import { plainBody, startGateway } from '../gateway.ts'

function listenTo(port: string) {
  const socket = connect(Number(port), '127.0.0.1')
  const received = new Promise<string>((resolve, reject) => {
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
  return { socket, received }
}

test('a closing server finishes its requests, and closes each connection with its reply', {
  timeout: 30_000,
}, async (t) => {
  const { promise: pendingReply, resolve: release } = Promise.withResolvers<void>()
  const { promise: reached, resolve: arrived } = Promise.withResolvers<void>()
  const storeInput = async (input: Input) => {
    arrived()
    await pendingReply
    return { input, discard: async () => undefined }
  }
  const { app } = await startGateway(t, { media: { storeInput } })
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const slow = listenTo(port)
  slow.socket.write('GET /api/video-status?runId=vid_unknown HTTP/1.1\r\n')
  await once(slow.socket, 'connect')
  await fetch(`http://127.0.0.1:${port}/health`)
  const busy = listenTo(port)
  const body = JSON.stringify(plainBody)
  busy.socket.write(
    `POST /api/generate-video HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  await reached
  const closed = app.close()
  while (app.server.listening) await setImmediate()
  slow.socket.write('Host: x\r\n\r\n')
  release()
  const replies = await Promise.all([busy.received, slow.received])
  await closed
  for (const reply of replies) assert.match(reply, /^connection: close\r$/im)
  assert.match(replies[0], /^HTTP\/1.1 202 /)
  assert.match(replies[1], /^HTTP\/1.1 404 .*"code":"not_found"/s)
})

test('a download that continues during the close also closes its connection', {
  timeout: 30_000,
}, async (t) => {
  const { promise: pendingReply, resolve: release } = Promise.withResolvers<void>()
  const { app } = await startGateway(t)
  await app.register(async (scope) => {
    scope.get('/slow', async (_, reply) => {
      const bodyParts = async function* () {
        yield 'first '
        await pendingReply
        yield 'last'
      }
      return reply.type('video/mp4').send(Readable.from(bodyParts()))
    })
  })
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const { socket, received } = listenTo(port)
  socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'data')
  const closed = app.close()
  while (app.server.listening) await setImmediate()
  release()
  assert.match(await received, /first .*last/s)
  await closed
})
