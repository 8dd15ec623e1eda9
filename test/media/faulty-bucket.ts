import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Transform } from 'node:stream'
import type { S3Settings } from '../../src/config/storage-settings.ts'
import type { Cleanup } from '../support/setup.ts'
import { startBucket } from './media-gateway.ts'

/** How the bucket fails, or what it may not do. */
export type BucketFault =
  | 'none'
  | 'forbidden'
  | 'missing'
  | 'hanging'
  | 'unreachable'
  | 'no list permission'
  | 'no results'
  | 'slow'
  | 'second part hangs'
  | 'says OK to all'
  | 'keeps nothing'

const errors = {
  forbidden: { status: 403, code: 'AccessDenied' },
  missing: { status: 404, code: 'NoSuchBucket' },
} as const

/** What a proxy in front of a bucket may send under maintenance. */
const page = '<html>soon</html>'

const slowBytesPerMs = 8 * 1024

/** Passes a number of bytes, and no more. */
function slowly(): Transform {
  return new Transform({
    highWaterMark: 1,
    transform: (piece: Buffer, _, done) =>
      void setTimeout(() => done(null, piece), piece.length / slowBytesPerMs),
  })
}

/** A real bucket behind a proxy that can fail. `env` is what a gateway needs to use it. */
export async function startFaultyBucket(cleanup: Cleanup) {
  const bucket = await startBucket(cleanup)
  const target = new URL(bucket.endpoint ?? '')
  let fault: BucketFault = 'none'
  const requests: string[] = []
  /** Lets a request go on that hangs. */
  const hanging: (() => void)[] = []

  function pass(from: IncomingMessage, to: ServerResponse): void {
    const options = { host: target.hostname, port: target.port, method: from.method, path: from.url }
    const forwarded = request({ ...options, headers: from.headers }, (reply) => {
      const hidden =
        fault === 'no list permission' && (from.url?.includes('list-type') || reply.statusCode === 404)
      if (hidden) return refuse(from, to, 403, 'AccessDenied')
      to.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(to)
    })
    forwarded.on('error', () => to.destroy())
    if (fault === 'slow') from.pipe(slowly()).pipe(forwarded)
    else from.pipe(forwarded)
  }

  function refuse(from: IncomingMessage, to: ServerResponse, status: number, code: string): void {
    from.resume()
    to.writeHead(status, { 'content-type': 'application/xml' })
    to.end(from.method === 'HEAD' ? undefined : `<Error><Code>${code}</Code><Message>no</Message></Error>`)
  }

  const server = createServer((from, to) => {
    requests.push(`${from.method} ${from.url}`)
    if (fault === 'unreachable') return void from.socket.destroy()
    if (fault === 'hanging') return void from.resume()
    if (fault === 'forbidden' || fault === 'missing') {
      const { status, code } = errors[fault]
      return refuse(from, to, status, code)
    }
    const writes = from.method === 'PUT' || from.method === 'POST'
    if (fault === 'says OK to all' || (fault === 'keeps nothing' && writes)) {
      from.resume()
      to.writeHead(200, { 'content-type': 'text/html', 'content-length': page.length })
      return void to.end(from.method === 'HEAD' ? undefined : page)
    }
    if (fault === 'no results' && from.method === 'PUT' && from.url?.includes('/results/'))
      return refuse(from, to, 403, 'AccessDenied')
    if (fault === 'second part hangs' && from.url?.includes('partNumber=2'))
      return void hanging.push(() => pass(from, to))
    pass(from, to)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  cleanup.add(() => {
    server.closeAllConnections()
    server.close()
  })
  const settings: S3Settings = { ...bucket, endpoint: `http://127.0.0.1:${port}`, timeoutMs: 500 }
  return {
    settings,
    env: {
      S3_BUCKET: bucket.bucket,
      S3_ENDPOINT: settings.endpoint ?? '',
      S3_ACCESS_KEY: bucket.credentials?.accessKeyId ?? '',
      S3_SECRET_KEY: bucket.credentials?.secretAccessKey ?? '',
      S3_TIMEOUT_SECONDS: '1',
      STORE_PROBE_SECONDS: '1',
    },
    requests,
    /** Ends the fault for the parts that hang, too. */
    release(): void {
      fault = 'none'
      for (const goOn of hanging.splice(0)) goOn()
    },
    fail(next: BucketFault): void {
      fault = next
      if (next === 'unreachable') server.closeAllConnections()
    },
  }
}
