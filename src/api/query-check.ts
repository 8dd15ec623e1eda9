import type { FastifyInstance } from 'fastify'
import { isClean, uncleanText } from './body-check.ts'

/** Query strings name jobs, cursors and models: no text of them may hold what Redis and upstreams read differently. */
export function rejectUncleanQueries(app: FastifyInstance): void {
  app.addHook('preValidation', ({ query }, _reply, done) => {
    for (const [name, value] of Object.entries(query as Record<string, unknown>)) {
      if (![name, value].flat().every((text) => isClean(String(text)))) return done(uncleanText(name))
    }
    done()
  })
}
