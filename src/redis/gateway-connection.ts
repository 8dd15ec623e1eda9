import { Redis } from 'ioredis'

const gatewayClientName = 'reelgate-gateway'
/** What ioredis says when the other side hung up. */
const closedMessage = 'Connection is closed.'

/**
 * A connection by which a gateway shows that it uses the Redis on this socket: when it ends, Redis has. Resolves once Redis
 * has loaded what it holds; `undefined` when nobody listens there. Never reconnects.
 */
export async function connectAsGateway(socket: string): Promise<Redis | undefined> {
  const client = new Redis({
    path: socket,
    connectionName: gatewayClientName,
    lazyConnect: true,
    retryStrategy: () => null,
    commandTimeout: 10_000,
  })
  let firstError: unknown
  client.on('error', (error) => {
    firstError ??= error
  })
  try {
    await client.connect()
    return client
  } catch (error) {
    client.disconnect()
    const cause = firstError ?? error
    if (isNobodyListening(cause)) return undefined
    throw new Error(`A Redis listens on ${socket} but cannot be used`, { cause })
  }
}

function isNobodyListening(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : undefined
  return (
    ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(String(code)) ||
    error.message === closedMessage
  )
}

/** How many other gateways use the same Redis. */
export async function countOtherGateways(connection: Redis): Promise<number> {
  const [id, clientList] = await Promise.all([connection.client('ID'), connection.client('LIST')])
  const gateways = String(clientList)
    .split('\n')
    .filter((line) => line.includes(` name=${gatewayClientName} `))
  return gateways.filter((line) => !line.startsWith(`id=${id} `)).length
}
