import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { after, describe, it } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import type { Provider } from '../../providers/provider.ts'
import { runware } from '../../providers/runware/index.ts'
import { createTransport, isUnsent } from '../../src/upstreams/transport.ts'
import { createCleanup } from '../support/setup.ts'

/** A certificate for localhost, for this test only. */
const cert = `-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUUtdKSw1OxXEmdgxDjU2yB7X5d4swCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzEyMjg1OFoYDzIxMjYxMDMw
MTIyODU4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ2cIk+VWLCNn564rGZMGS0JklPJuRjIRlBgq3S42oNcEHD/WA48myD
gfeANrl9DaGrYkcnGhJDjr5KDLm7GHqAo2kwZzAdBgNVHQ4EFgQUHd39sapzB+Y9
qRw32DBbfhGqXIYwHwYDVR0jBBgwFoAUHd39sapzB+Y9qRw32DBbfhGqXIYwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SAAwRQIgeE8KfzgOi9keU5aDIF3gGuRaNEKOSOfsQfG9EtZtRCQCIQC+lxkgOX5R
WGqyxUgOATvXf6KzuwQerqFZqlKW1t6zXQ==
-----END CERTIFICATE-----`
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgW00+4+IjgHPrIGbP
x5j2C9DvcuWlKAMsnIPJUPfadymhRANCAAQ2cIk+VWLCNn564rGZMGS0JklPJuRj
IRlBgq3S42oNcEHD/WA48myDgfeANrl9DaGrYkcnGhJDjr5KDLm7GHqA
-----END PRIVATE KEY-----`

const credentials = { RUNWARE_API_KEY: 'a-key-of-the-test' }
const call = { method: 'POST', path: '/v1', json: [] } as const

describe('errors of a call that costs money', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  const transport = createTransport({ timeoutMs: 10_000 })
  cleanup.add(() => transport.close())
  const send = (baseUrl: string, provider: Provider = runware) =>
    transport.send(provider, { credentials, settings: {}, baseUrls: { api: baseUrl } }, call, {
      purchase: true,
    })

  async function listen(server: Server): Promise<number> {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanup.add(() => server.close())
    return (server.address() as AddressInfo).port
  }

  it('the same error on a reused connection: unknown', () => {
    const failed = (code: string, syscall: string) => Object.assign(new Error(code), { code, syscall })
    assert.equal(isUnsent(failed('EHOSTUNREACH', 'connect')), true)
    assert.equal(isUnsent(failed('EHOSTUNREACH', 'read')), false)
    assert.equal(isUnsent(failed('ENOTFOUND', 'getaddrinfo')), true)
    assert.equal(isUnsent(failed('ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', '')), false)
    assert.equal(isUnsent(failed('ECONNRESET', 'read')), false)
  })

  it('a refused connection, by one or several addresses: not sent', async () => {
    const closed = createServer()
    const port = await listen(closed)
    closed.close()
    assert.equal((await send(`http://127.0.0.1:${port}`)).kind, 'unsent')
    assert.equal((await send(`http://localhost:${port}`)).kind, 'unsent')
  })

  it('an untrusted certificate, or an invalid call: not sent', async () => {
    const port = await listen(createTlsServer({ cert, key }).on('tlsClientError', () => undefined))
    assert.equal((await send(`https://127.0.0.1:${port}`)).kind, 'unsent')
    const unsigned = { ...runware.hosts.api, baseUrlVariable: '', credentials: [], sign: () => assert.fail() }
    assert.equal((await send('http://127.0.0.1:1', { ...runware, hosts: { api: unsigned } })).kind, 'unsent')
  })

  it('HTTP/2 is not offered', async () => {
    const offered: string[] = []
    const ALPNCallback = ({ protocols }: { protocols: string[] }) => {
      offered.push(...protocols)
      return protocols[0]
    }
    const server = createTlsServer({ cert, key, ALPNCallback }).on('tlsClientError', () => undefined)
    await send(`https://127.0.0.1:${await listen(server)}`)
    assert.deepEqual(offered, ['http/1.1'])
  })
})
