import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A body of `bytes` bytes: a head, one text again and again, a tail. */
export type Oversized = { type: string; head: string; repeated: Buffer; tail: string }

const json = (head: string, repeated: string | Buffer, tail: string): Oversized => ({
  type: 'application/json',
  head,
  repeated: Buffer.from(repeated),
  tail,
})
const form = (head: string, repeated: string | Buffer, tail: string): Oversized => ({
  ...json(head, repeated, tail),
  type: 'multipart/form-data; boundary=b',
})
const part = (name: string, more = '') =>
  `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`
const end = '\r\n--b--\r\n'

export const oversized: Readonly<Record<string, Oversized>> = {
  'empty strings': json('{"x":[""', ',""', ']}'),
  'one string': json('{"prompt":"', 'a boat ', '"}'),
  'one string in an unknown field': json('{"x":"', 'x', '"}'),
  'one link': json('{"image":"https://a.example/', 'x?', '"}'),
  'a data URL': json('{"model":"sora-2","prompt":"x","image":"data:image/png;base64,', 'QUJD', '"}'),
  'bare base64': json('{"model":"sora-2","prompt":"x","image":"', 'QUJD', '"}'),
  'an escaped data URL': json('{"image":"data:image/png;base64,', '\\u0051UJD\\/', '"}'),
  'many data URLs': json('{"referenceImages":[""', `,"data:image/png;base64,${'QUJD'.repeat(2500)}"`, ']}'),
  'a long key': json('{"', 'key', '":1}'),
  'long keys': json('{"a":1', `,"${'k'.repeat(5000)}":1`, '}'),
  'many keys': json('{"a":1', ',"kx":1', '}'),
  objects: json('[{}', ',{}', ']'),
  arrays: json('[[]', ',[]', ']'),
  'nested arrays': json('', '[', ''),
  'nested objects': json('', '{"a":', ''),
  'one number': json('{"seed":', '9', '}'),
  numbers: json('[1', ',1', ']'),
  exponents: json('[1', ',1e999', ']'),
  NUL: json('{"prompt":"', '\\u0000', '"}'),
  surrogates: json('{"prompt":"', '\\ud800', '"}'),
  backslashes: json('{"image":"data:image/png;base64,', '\\\\', '"}'),
  'invalid UTF-8': json('{"prompt":"', Buffer.from([0xff]), '"}'),
  spaces: json('{"a":1', ' ', '}'),
  'no JSON': json('', '-', ''),
  'a form with one text': form(part('prompt'), 'a boat ', end),
  'a form with one file': form(part('input_reference', '; filename="a.png"'), 'QUJD', end),
  'a form with one file for its library': form(part('file', '; filename="a.png"'), 'QUJD', end),
  'a form with many fields': form(`${part('a')}x`, `\r\n${part('b')}x`, end),
  'a form with many files': form(`${part('a')}x`, `\r\n${part('image[]', '; filename="a.png"')}x`, end),
  'a form with a long name': form('--b\r\nContent-Disposition: form-data; name="', 'n', `"\r\n\r\nx${end}`),
  'a form with many headers': form('--b\r\n', 'X-Header: x\r\n', `\r\nx${end}`),
  'a form without an end': form(part('image'), '\r\n--b', ''),
}

type Request = { port: number; method: string; path: string; key?: string; body: Oversized; bytes: number }

/** Sends a body until the reply arrives. Returns the status, or why there is none. */
export async function sendOversized({ port, method, path, key, body, bytes }: Request): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let reply = ''
  let isClosed = false
  const closed = new Promise<void>((resolve) => socket.once('close', resolve))
  socket.on('error', () => undefined)
  socket.on('data', (piece) => {
    reply += piece.toString('latin1', 0, 2000)
  })
  socket.once('close', () => {
    isClosed = true
  })
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: test',
    `Content-Type: ${body.type}`,
    `Content-Length: ${bytes}`,
    ...(key === undefined ? [] : [`X-API-Key: ${key}`]),
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body.head}`)
  const repetitions = Math.floor((bytes - body.head.length - body.tail.length) / body.repeated.length)
  const perPiece = Math.max(1, Math.floor(65_536 / body.repeated.length))
  const piece = Buffer.concat(Array(perPiece).fill(body.repeated))
  for (let sent = 0; sent < repetitions && reply === '' && !isClosed; sent += perPiece) {
    const length = Math.min(perPiece, repetitions - sent) * body.repeated.length
    const isFull = !socket.write(piece.subarray(0, length))
    // Also where nothing is full, so that the reply is seen.
    if (isFull) await Promise.race([drained(socket), closed])
    else await sleep(0)
  }
  const remaining = bytes - body.head.length - body.tail.length - repetitions * body.repeated.length
  if (reply === '' && !isClosed) socket.write(`${body.tail}${' '.repeat(remaining)}`)
  for (let waits = 0; waits < 6000 && reply === '' && !isClosed; waits += 1) await sleep(10)
  socket.destroy()
  return /^HTTP\/1\.1 (\d{3})/.exec(reply)?.[1] ?? (isClosed ? 'closed without a reply' : 'no reply')
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('drain', resolve))
}
