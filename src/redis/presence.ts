import { Redis } from 'ioredis'

const name = 'reelgate-gateway'
/** What ioredis says when the other side hung up. */
const ended = 'Connection is closed.'

/**
 * A connection by which a gateway shows that it uses the Redis on this socket: when it ends, Redis has. Resolves once Redis
 * has loaded what it holds; `undefined` when nobody listens there. Never reconnects.
 */
export async function attend(socket: string): Promise<Redis | undefined> {
  const client = new Redis({
    path: socket,
    connectionName: name,
    lazyConnect: true,
    retryStrategy: () => null,
    commandTimeout: 10_000,
  })
  let reason: unknown
  client.on('error', (error) => {
    reason ??= error
  })
  try {
    await client.connect()
    return client
  } catch (error) {
    client.disconnect()
    const cause = reason ?? error
    if (isAbsence(cause)) return undefined
    throw new Error(`A Redis listens on ${socket} but cannot be used`, { cause })
  }
}

function isAbsence(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : undefined
  return ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(String(code)) || error.message === ended
}

/** How many other gateways use the same Redis. */
export async function countOthers(presence: Redis): Promise<number> {
  const [id, list] = await Promise.all([presence.client('ID'), presence.client('LIST')])
  const gateways = String(list)
    .split('\n')
    .filter((line) => line.includes(` name=${name} `))
  return gateways.filter((line) => !line.startsWith(`id=${id} `)).length
}
