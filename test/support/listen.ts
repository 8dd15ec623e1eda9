import assert from 'node:assert/strict'

export type SentEvent = { id: number; body: Record<string, unknown> }

/** Reads events like a browser, without reconnecting. */
export async function listen(url: string, headers: Record<string, string> = {}) {
  const abort = new AbortController()
  const reply = await fetch(url, { headers, signal: abort.signal })
  assert.equal(reply.status, 200)
  assert.ok(reply.body !== null)
  const events: SentEvent[] = []
  const woken = new Set<() => void>()
  let text = ''

  async function read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder()
    for await (const piece of body) {
      text += decoder.decode(piece, { stream: true })
      const blocks = [...text.matchAll(/^id: (\d+)\ndata: (.*)\n\n/gm)]
      for (const [, id, data = ''] of blocks.slice(events.length)) {
        events.push({ id: Number(id), body: JSON.parse(data) as Record<string, unknown> })
      }
      for (const wake of woken) wake()
    }
  }

  async function when(holds: () => boolean): Promise<void> {
    while (!holds()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      woken.add(resolve)
      await promise
      woken.delete(resolve)
    }
  }

  const ended = read(reply.body).catch(() => undefined)
  return {
    events,
    contentType: reply.headers.get('content-type'),
    /** Resolves after the given number of events. */
    until: (count: number) => when(() => events.length >= count),
    waitForText: (pattern: RegExp) => when(() => pattern.test(text)),
    ended,
    close: () => abort.abort(),
  }
}
