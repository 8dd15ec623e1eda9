import type { Redis } from 'ioredis'
import { writeNow } from './connect.ts'

type Waiting<Asked, Answer> = {
  asked: Asked
  resolve: (answer: Answer) => void
  reject: (cause: unknown) => void
}

/**
 * Group commit: what is asked for in one turn of the event loop is asked together, by one command. Waiting for the answer before the next one
 * leaves was slower: Redis and this process would take turns. `ask` answers in the order of the questions, an `Error` where one fails; what
 * it rejects with, all of them do. More than `most` are not kept together: Redis begins with them while this process reads the next requests.
 */
export function gather<Asked, Answer>(
  redis: Redis,
  most: number,
  ask: (asked: readonly Asked[]) => Promise<readonly (Answer | Error)[]>,
) {
  let waiting: Waiting<Asked, Answer>[] = []

  async function settle(batch: readonly Waiting<Asked, Answer>[]): Promise<void> {
    try {
      const answers = await ask(batch.map(({ asked }) => asked))
      for (const [n, { resolve, reject }] of batch.entries()) {
        const answer = answers[n]
        if (answer === undefined || answer instanceof Error) reject(answer ?? new Error('no answer'))
        else resolve(answer)
      }
    } catch (cause) {
      for (const { reject } of batch) reject(cause)
    }
  }

  function send(): void {
    if (waiting.length === 0) return
    void settle(waiting)
    waiting = []
    writeNow(redis)
  }

  return (asked: Asked): Promise<Answer> =>
    new Promise((resolve, reject) => {
      waiting.push({ asked, resolve, reject })
      if (waiting.length === 1) setImmediate(send)
      if (waiting.length === most) send()
    })
}
