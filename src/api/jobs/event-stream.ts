import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply } from 'fastify'

const heartbeatMs = 15_000
/** A listener that leaves more than this unread is dropped; it can resume where it was. */
const maxBufferedBytes = 64 * 1024
/** How soon a browser comes back after its stream has ended. */
const reconnectDelayMs = 1000

export type EventStream = {
  send(id: number, event: unknown): void
  end(): void
}

export type EventStreams = ReturnType<typeof createEventStreams>

/** Server-sent events. One heartbeat serves all streams, and all of them end when the server closes. */
export function createEventStreams(app: FastifyInstance) {
  const streams = new Set<ServerResponse>()

  function write(stream: ServerResponse, text: string): void {
    if (stream.writableLength > maxBufferedBytes) stream.destroy()
    else if (!stream.writableEnded) stream.write(text)
  }

  /** Streams that had something unread at the last heartbeat. A heartbeat counts as progress of the connection, reading it does. */
  let behindAtLastHeartbeat = new Set<ServerResponse>()
  const heartbeat = setInterval(() => {
    const stillBehind = new Set<ServerResponse>()
    for (const stream of streams) {
      if (stream.writableLength > 0 && behindAtLastHeartbeat.has(stream)) stream.destroy()
      else if (stream.writableLength > 0) stillBehind.add(stream)
      else write(stream, ':\n\n')
    }
    behindAtLastHeartbeat = stillBehind
  }, heartbeatMs)
  heartbeat.unref()
  app.closing.addEventListener('abort', () => {
    clearInterval(heartbeat)
    for (const stream of streams) stream.end()
  })

  return {
    /** Takes the reply over. `gone` is called once when the stream is over, whoever ended it. */
    open(reply: FastifyReply, onClose: () => void): EventStream {
      reply.hijack()
      const stream = reply.raw
      stream.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream',
        // A proxy must not wait for more.
        'x-accel-buffering': 'no',
        connection: 'close',
      })
      streams.add(stream)
      stream.once('close', () => {
        streams.delete(stream)
        onClose()
      })
      stream.on('error', () => undefined)
      write(stream, `retry: ${reconnectDelayMs}\n\n`)
      return {
        send: (id, event) => write(stream, `id: ${id}\ndata: ${JSON.stringify(event)}\n\n`),
        end: () => stream.end(),
      }
    },
  }
}
