import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Cleanup } from '../support/setup.ts'

/**
 * A proxy between a gateway and a real Redis that loses a reply on demand: Redis executes the command, then the connection breaks before
 * the client gets the reply. `path` is the socket of the Redis.
 */
export async function startLossyProxy(cleanup: Cleanup, path: string) {
  let armed: { text: string; lost: () => void } | undefined
  const sockets = new Set<Socket>()

  function serve(client: Socket): void {
    const redis = connect(path)
    for (const socket of [client, redis]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('close', () => redis.destroy())
    redis.on('close', () => client.destroy())

    /** The replies of Redis until it has executed everything that was sent; none has reached the client. */
    let heldBack: Buffer[] | undefined
    const mark = `carried-out-${Math.random()}`

    client.on('data', (bytes) => {
      redis.write(bytes)
      if (armed === undefined || heldBack !== undefined || !bytes.includes(armed.text)) return
      heldBack = []
      redis.write(`*2\r\n$4\r\nECHO\r\n$${mark.length}\r\n${mark}\r\n`)
    })
    redis.on('data', (bytes) => {
      if (heldBack === undefined) return client.write(bytes)
      heldBack.push(bytes)
      const replies = Buffer.concat(heldBack)
      const echo = Buffer.from(`$${mark.length}\r\n${mark}\r\n`)
      const at = replies.indexOf(echo)
      if (at < 0) return
      heldBack = undefined
      // The client sends the whole script next, and Redis executes it.
      if (replies.subarray(0, at).includes('-NOSCRIPT')) {
        client.write(replies.subarray(0, at))
        client.write(replies.subarray(at + echo.length))
        return
      }
      armed?.lost()
      armed = undefined
      client.destroy()
      redis.destroy()
    })
  }

  const server = createServer(serve).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.add(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `redis://127.0.0.1:${port}`,
    /** Loses the reply to the next command that contains the text. Resolves when it is lost. */
    loseReplyTo(text: string): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>()
      armed = { text, lost: resolve }
      return promise
    },
  }
}
