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

/**
 * Names of the encodings of a body, in the order in which they were applied. Other names are ignored, as clients do:
 * an upstream does not notice that its storage sends `aws-chunked`, `none` or a character set (2026-11).
 */
function encodingsOf(headers: Headers): string[] {
  return String(headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => Object.hasOwn(decoders, name))
}

export function isEncoded(headers: Headers): boolean {
  return encodingsOf(headers).length > 0
}

/** Streams that undo the content encoding of a body, in order. */
export function decodersFor(headers: Headers): Transform[] {
  return encodingsOf(headers)
    .reverse()
    .flatMap((name) => decoders[name]?.() ?? [])
}
