import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { deflateSync } from 'node:zlib'

/** A real, playable video. */
export const video = readFileSync(new URL('../../src/sandbox/sample.mp4', import.meta.url))

/** The same video with an empty box of the given size at its end. */
export function videoOf(bytes: number): Buffer {
  const padded = Buffer.alloc(bytes)
  video.copy(padded)
  padded.writeUInt32BE(bytes - video.length, video.length)
  padded.write('free', video.length + 4, 'latin1')
  return padded
}

/** A real PNG of one colour; `padding` makes the file larger, a false size makes it a bomb. */
export function png({ width = 4, height = 4, padding = 0 } = {}): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const rows = Buffer.alloc(4 * (1 + 4 * 3), 0x7f)
  for (let row = 0; row < 4; row += 1) rows[row * 13] = 0
  const chunks = [
    chunk('IHDR', header),
    chunk('tEXt', Buffer.alloc(padding, 0x61)),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...chunks])
}

function chunk(type: string, content: Buffer): Buffer {
  const framed = Buffer.alloc(content.length + 12)
  framed.writeUInt32BE(content.length, 0)
  framed.write(type, 4, 'latin1')
  content.copy(framed, 8)
  return framed
}

export function dataUrl(type: string, content: Buffer): string {
  return `data:${type};base64,${content.toString('base64')}`
}

/** An HTTP server for one test on loopback. */
export async function startServer(
  t: TestContext,
  reply: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server: Server = createServer(reply)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
