import type { Readable } from 'node:stream'
import type { Call, Provider } from '../../providers/provider.ts'
import type { ProviderConfig } from '../config/provider-settings.ts'
import { createInlineBody, createUploadBody, type FileUpload, type InlineFile } from './file-bodies.ts'

/** Files that are read while the call is sent: `upload` is its body, or a part of a form; `inline` goes into its JSON. */
export type CallFiles = { upload: FileUpload | undefined; inline: readonly InlineFile[] }

export type PreparedRequest = {
  url: URL
  headers: Record<string, string>
  body: string | Readable | null
  baseUrl: string
}

/** Converts an absolute URL of a sandbox job to one that this process can call; `undefined`: it leads out of the sandbox. */
export type ToSandboxUrl = (link: string) => URL | undefined

/**
 * The HTTP request of a call. A path below the host's base URL is signed; an absolute URL gets no credentials. Throws a `TypeError` for a call that
 * may not be made, before anything is sent.
 */
export function prepareRequest(
  provider: Provider,
  config: ProviderConfig,
  call: Call,
  { files, at, toSandboxUrl }: { files: CallFiles; at: Date; toSandboxUrl: ToSandboxUrl },
): PreparedRequest {
  const hostName = call.host ?? Object.keys(provider.hosts)[0] ?? ''
  const host = provider.hosts[hostName]
  const baseUrl = config.baseUrls[hostName]
  if (host === undefined || baseUrl === undefined)
    throw new TypeError(`${provider.title} has no base URL for ${hostName}`)

  const isForeign = /^https?:\/\//.test(call.path)
  const url = urlOf(isForeign ? call.path : baseUrl + call.path, config, toSandboxUrl)
  if (!isForeign && url.origin !== new URL(baseUrl).origin)
    throw new TypeError('a call must stay on the origin of its base URL')
  const { body, type, length } = encodeBody(call, files)
  const headers: Record<string, string> = {
    accept: 'application/json',
    ...(type === undefined ? {} : { 'content-type': type }),
    ...(length === undefined ? {} : { 'content-length': String(length) }),
    ...call.headers,
  }
  if (!isForeign) {
    const text = typeof body === 'string' ? body : ''
    const signingValues = { ...config.settings, ...config.credentials }
    Object.assign(headers, host.sign({ method: call.method, url, headers, body: text }, signingValues, at))
  }
  return { url, headers, body, baseUrl }
}

/** A call of a sandbox job reaches mock upstreams only. */
function urlOf(address: string, { sandbox }: ProviderConfig, toSandboxUrl: ToSandboxUrl): URL {
  if (sandbox !== true) return new URL(address)
  const url = toSandboxUrl(address)
  if (url === undefined) throw new TypeError('a call of a sandbox job must stay in the sandbox')
  return url
}

function encodeBody(
  call: Call,
  { upload, inline }: CallFiles,
): { body: PreparedRequest['body']; type?: string; length?: number } {
  if (call.json !== undefined) {
    const body = JSON.stringify(call.json)
    return { type: 'application/json', ...(inline.length === 0 ? { body } : createInlineBody(body, inline)) }
  }
  if (call.form !== undefined) {
    return { body: new URLSearchParams(call.form).toString(), type: 'application/x-www-form-urlencoded' }
  }
  return call.media === undefined || upload === undefined
    ? { body: null }
    : createUploadBody(upload, call.media)
}
