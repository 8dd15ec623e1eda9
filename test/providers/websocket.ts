import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TestContext } from 'node:test'

/** From RFC 6455, section 1.3. */
const acceptance = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const textFrame = 1
const closeFrame = 8

/** Answers the text frames of WebSocket clients on loopback; `connect` makes what answers one connection. */
export async function serveFrames(t: TestContext, connect: () => (text: string) => Promise<string>) {
  const server = createServer()
  const sockets = new Set<Duplex>()
  server.on('upgrade', (request, socket: Duplex) => {
    const proof = createHash('sha1').update(`${request.headers['sec-websocket-key']}${acceptance}`)
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
    socket.write([...lines, `Sec-WebSocket-Accept: ${proof.digest('base64')}`, '', ''].join('\r\n'))
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    talk(socket, connect())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function talk(socket: Duplex, answer: (text: string) => Promise<string>): void {
  let unread: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk])
    for (let frame = readFrame(unread); frame !== undefined; frame = readFrame(unread)) {
      unread = unread.subarray(frame.end)
      if (frame.kind === closeFrame) socket.end()
      if (frame.kind !== textFrame) continue
      answer(frame.payload.toString()).then(
        (text) => socket.writable && socket.write(frameOf(text)),
        (error) => socket.destroy(error),
      )
    }
  })
}

/** The first frame, once all of it has arrived. Clients mask what they send. */
function readFrame(bytes: Buffer): { kind: number; payload: Buffer; end: number } | undefined {
  if (bytes.length < 2) return undefined
  const short = bytes.readUInt8(1) & 0x7f
  const start = short === 126 ? 8 : short === 127 ? 14 : 6
  if (bytes.length < start) return undefined
  const long = short === 127 ? Number(bytes.readBigUInt64BE(2)) : bytes.readUInt16BE(2)
  const end = start + (short < 126 ? short : long)
  if (bytes.length < end) return undefined
  const mask = bytes.subarray(start - 4, start)
  const payload = Buffer.from(
    bytes.subarray(start, end).map((byte, place) => byte ^ mask.readUInt8(place % 4)),
  )
  return { kind: bytes.readUInt8(0) & 0x0f, payload, end }
}

function frameOf(text: string): Buffer {
  const payload = Buffer.from(text)
  const head = Buffer.alloc(payload.length < 126 ? 2 : 4)
  head.writeUInt8(0x80 | textFrame, 0)
  head.writeUInt8(Math.min(payload.length, 126), 1)
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}
