import { Redis } from 'ioredis'

const gatewayClientName = 'reelgate-gateway'
/** The message of ioredis when the server closed the connection. */
const closedMessage = 'Connection is closed.'

/**
 * Opens the connection that marks this gateway as a user of the Redis on this socket. It never reconnects, so it ends when Redis ends. Resolves when Redis
 * has loaded its files; `undefined`: no server listens there.
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
