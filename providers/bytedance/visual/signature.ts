import { createHash, createHmac } from 'node:crypto'
import type { SignedRequest } from '../../provider.ts'

const algorithm = 'HMAC-SHA256'
const service = 'cv'
const signedHeaders = 'host;x-content-sha256;x-date'

/** The V4 signature of the Visual API: the headers that prove a request to come from the holder of these keys. */
export function signV4(
  { method, url, body }: Pick<SignedRequest, 'method' | 'url' | 'body'>,
  { accessKey, secretKey, region }: { accessKey: string; secretKey: string; region: string },
  at: Date,
): Record<string, string> {
  const stamp = `${at.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
  const scope = [stamp.slice(0, 8), region, service, 'request']
  const bodyHash = sha256(body)
  const canonical = [
    method,
    url.pathname,
    canonicalQuery(url),
    `host:${url.host}\nx-content-sha256:${bodyHash}\nx-date:${stamp}\n`,
    signedHeaders,
    bodyHash,
  ].join('\n')
  const toSign = [algorithm, stamp, scope.join('/'), sha256(canonical)].join('\n')
  const key = scope.reduce<string | Buffer>((secret, part) => hmac(secret, part), secretKey)
  const signature = hmac(key, toSign).toString('hex')
  return {
    'x-date': stamp,
    'x-content-sha256': bodyHash,
    authorization: `${algorithm} Credential=${accessKey}/${scope.join('/')}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
  }
}

/** The signing region follows from the host: mainland China for Volcengine's, Singapore for BytePlus' and anything else. */
export function regionOf(url: URL): string {
  return url.hostname.endsWith('.volcengineapi.com') ? 'cn-north-1' : 'ap-singapore-1'
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function canonicalQuery(url: URL): string {
  return [...url.searchParams]
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .sort()
    .join('&')
}

function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
