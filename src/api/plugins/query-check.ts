import type { FastifyInstance } from 'fastify'
import { isCleanText, uncleanTextError } from '../body/body-check.ts'

/** Query strings name jobs, cursors and models: no text of them may hold what Redis and upstreams read differently. */
export function rejectUncleanQueries(app: FastifyInstance): void {
  app.addHook('preValidation', ({ query }, _reply, done) => {
    for (const [name, value] of Object.entries(query as Record<string, unknown>)) {
      if (![name, value].flat().every((text) => isCleanText(String(text))))
        return done(uncleanTextError(name))
    }
    done()
  })
}
