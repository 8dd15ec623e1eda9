import type { Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import type { Dispatcher } from 'undici'

type Headers = Dispatcher.ResponseData['headers']

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

/** Names of the encodings of a body, in the order in which they were applied. */
function encodingsOf(headers: Headers): string[] {
  return String(headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity')
}

export function isEncoded(headers: Headers): boolean {
  return encodingsOf(headers).length > 0
}

/** Streams that undo the content encoding of a body, in order; `undefined`: it has one that is not known. */
export function decodersFor(headers: Headers): Transform[] | undefined {
  const creators = encodingsOf(headers)
    .reverse()
    .map((name) => (Object.hasOwn(decoders, name) ? decoders[name] : undefined))
  const isKnown = (one: (() => Transform) | undefined): one is () => Transform => one !== undefined
  return creators.every(isKnown) ? creators.map((create) => create()) : undefined
}
