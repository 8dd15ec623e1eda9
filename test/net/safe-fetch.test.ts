import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { type AddressInfo, createServer, type LookupFunction } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { AddressRefused, createSafeFetch } from '../../src/net/safe-fetch.ts'
import { startServer } from '../media/files.ts'

/** A resolver that knows a few names. */
function resolver(names: Readonly<Record<string, readonly string[]>>): LookupFunction {
  return (hostname, options, done) => {
    const addresses: LookupAddress[] = (names[hostname] ?? []).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }))
    const [first] = addresses
    if (first === undefined)
      return done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), '', 0)
    if (options.all === true) done(null, addresses)
    else done(null, first.address, first.family)
  }
}

const inside = resolver({
  'metadata.example': ['169.254.169.254'],
  localhost: ['127.0.0.1'],
  'localhost.': ['127.0.0.1'],
  'intranet.example': ['10.1.2.3'],
  'six.example': ['fd00::1'],
  'mapped.example': ['::ffff:192.168.0.1'],
  'half.example': ['93.184.215.14', '127.0.0.1'],
})

function start(t: TestContext, trusted: readonly string[] = [], lookup: LookupFunction = inside) {
  const safeFetch = createSafeFetch({ trustedUrls: trusted, lookup })
  t.after(() => safeFetch.close())
  return safeFetch
}

const hostile = [
  // this machine, in every spelling that a URL takes
  'http://127.0.0.1/',
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0177.0.0.1/',
  'http://0x7f.1/',
  'http://127.0.0.1:6379/',
  'http://user:pass@127.0.0.1/',
  'http://0/',
  'http://0.0.0.0/',
  'http://①②⑦.0.0.1/',
  'http://localhost/',
  'http://localhost./',
  // private, shared and link-local networks
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://172.31.255.254/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://169.254.169.254/latest/meta-data/',
  // addresses that are not assigned
  'http://192.0.0.8/',
  'http://192.0.2.1/',
  'http://198.18.0.1/',
  'http://198.51.100.1/',
  'http://203.0.113.1/',
  'http://224.0.0.1/',
  'http://240.0.0.1/',
  'http://255.255.255.255/',
  // IPv6, and IPv4 inside it
  'http://[::1]/',
  'http://[::]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::127.0.0.1]/',
  'http://[0:0:0:0:0:ffff:10.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[64:ff9b:1::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[2001::1]/',
  'http://[2001:db8::1]/',
  'http://[fc00::1]/',
  'http://[fd12:3456::1]/',
  'http://[fe80::1]/',
  'http://[fec0::1]/',
  'http://[ff02::1]/',
  // names of private addresses
  'http://metadata.example/',
  'http://intranet.example/',
  'http://six.example/',
  'http://mapped.example/',
  'http://half.example/',
  // other ways to reach a file
  'file:///etc/passwd',
  'ftp://ftp.example/file',
  'gopher://127.0.0.1/',
  'data:text/plain,hello',
  'javascript:alert(1)',
  '/etc/passwd',
  '',
]

describe('safe fetch', () => {
  for (const url of hostile) {
    it(`rejects ${url || 'an empty URL'}`, async (t) => {
      await assert.rejects(start(t).fetch(url), AddressRefused)
    })
  }

  it('checks each redirect', async (t) => {
    const targets = ['http://127.0.0.1:1/', 'http://[::1]/', 'http://intranet.example/', 'file:///etc/passwd']
    const origin = await startServer(t, ({ url }, response) => {
      response.writeHead(302, { location: targets[Number(url?.slice(1))] ?? '' }).end()
    })
    const safeFetch = start(t, [origin])
    for (const index of targets.keys()) {
      await assert.rejects(safeFetch.fetch(`${origin}/${index}`), AddressRefused, targets[index])
    }
  })

  it('follows a redirect within a trusted origin, and stops a redirect loop', async (t) => {
    const origin = await startServer(t, ({ url }, response) => {
      if (url === '/end') response.end('here')
      else response.writeHead(302, { location: url === '/start' ? 'end' : '/circle' }).end()
    })
    const safeFetch = start(t, [origin])
    assert.equal(await (await safeFetch.fetch(`${origin}/start`)).body.text(), 'here')
    await assert.rejects(safeFetch.fetch(`${origin}/circle`), /redirects too often/)
    await assert.rejects(safeFetch.fetch(`${origin}/start`, { redirects: 0 }), /redirects too often/)
  })

  it('compares trusted origins by scheme, host and port', async (t) => {
    const origin = await startServer(t, (_, response) => response.end('here'))
    const safeFetch = start(t, [origin])
    assert.equal((await safeFetch.fetch(`${origin}/a`)).statusCode, 200)
    const { port } = new URL(origin)
    await assert.rejects(safeFetch.fetch(`http://localhost:${port}/a`), AddressRefused)
    await assert.rejects(safeFetch.fetch(`http://127.0.0.1:${Number(port) + 1}/a`), AddressRefused)
  })

  it('reports an unknown host name as a lookup error', async (t) => {
    await assert.rejects(start(t).fetch('http://unknown.example/'), { code: 'ENOTFOUND' })
  })

  it('sends the given method, headers and body', async (t) => {
    const requests: unknown[] = []
    const origin = await startServer(t, async (request, response) => {
      const pieces: Buffer[] = []
      for await (const piece of request) pieces.push(piece)
      requests.push([request.method, request.headers['x-test'], Buffer.concat(pieces).toString()])
      response.end()
    })
    const safeFetch = start(t, [origin])
    await safeFetch.fetch(`${origin}/`)
    await safeFetch.fetch(`${origin}/`, { method: 'HEAD', headers: { 'x-test': 'yes' } })
    await safeFetch.fetch(`${origin}/`, { method: 'POST', body: 'hello' })
    assert.deepEqual(requests, [
      ['GET', undefined, ''],
      ['HEAD', 'yes', ''],
      ['POST', undefined, 'hello'],
    ])
  })

  it('stops when it is aborted', { timeout: 20_000 }, async (t) => {
    const origin = await startServer(t, () => undefined)
    await assert.rejects(start(t, [origin]).fetch(`${origin}/`, { signal: AbortSignal.timeout(50) }), {
      name: 'TimeoutError',
    })
  })

  it('follows redirects only, and none without a location', async (t) => {
    const origin = await startServer(t, ({ url }, response) => {
      if (url === '/created') response.writeHead(201, { location: '/elsewhere' }).end('made')
      else response.writeHead(302).end('nowhere')
    })
    const safeFetch = start(t, [origin])
    assert.equal(await (await safeFetch.fetch(`${origin}/created`)).body.text(), 'made')
    assert.equal(await (await safeFetch.fetch(`${origin}/nowhere`)).body.text(), 'nowhere')
  })

  for (const status of [301, 302, 303, 307, 308])
    it(`follows ${status}, up to the given number of times`, async (t) => {
      const origin = await startServer(t, ({ url }, response) => {
        const remaining = Number(url?.slice(1))
        if (remaining === 0) response.end('here')
        else response.writeHead(status, { location: `/${remaining - 1}` }).end()
      })
      const safeFetch = start(t, [origin])
      assert.equal(await (await safeFetch.fetch(`${origin}/5`)).body.text(), 'here')
      await assert.rejects(safeFetch.fetch(`${origin}/6`), /redirects too often/)
      assert.equal(await (await safeFetch.fetch(`${origin}/1`, { redirects: 1 })).body.text(), 'here')
    })

  it('rejects a redirect to an invalid URL', async (t) => {
    const origin = await startServer(t, (_, response) => {
      response.writeHead(302, { location: 'http://[' }).end()
    })
    await assert.rejects(start(t, [origin]).fetch(`${origin}/`), AddressRefused)
  })

  it('rejects only non-HTTP URLs if the operator allows private networks', async (t) => {
    const origin = await startServer(t, (_, response) => response.end('here'))
    const safeFetch = createSafeFetch({ allowPrivateNetworks: true })
    t.after(() => safeFetch.close())
    assert.equal(await (await safeFetch.fetch(origin)).body.text(), 'here')
    await assert.rejects(safeFetch.fetch('file:///etc/passwd'), AddressRefused)
    // Without TLS at the other side, so that the connection fails and not the address check.
    await assert.rejects(
      safeFetch.fetch(origin.replace('http:', 'https:')),
      (cause) => !(cause instanceof AddressRefused),
    )
  })

  it('does not offer HTTP/2', async (t) => {
    const { promise: hello, resolve } = Promise.withResolvers<Buffer>()
    const server = createServer((socket) =>
      socket.once('data', (hello) => {
        resolve(hello)
        socket.destroy()
      }),
    )
    await once(server.listen(0, '127.0.0.1'), 'listening')
    t.after(() => server.close())
    const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    await assert.rejects(start(t, [origin]).fetch(origin))
    const text = (await hello).toString('latin1')
    assert.ok(text.includes('\x08http/1.1'))
    assert.ok(!text.includes('\x02h2'))
  })

  it('makes no request after it is closed', async (t) => {
    const origin = await startServer(t, (_, response) => response.end('here'))
    const safeFetch = createSafeFetch({ trustedUrls: [origin] })
    await (await safeFetch.fetch(origin)).body.dump()
    await safeFetch.close()
    await assert.rejects(safeFetch.fetch(origin), { code: 'UND_ERR_DESTROYED' })
  })
})
