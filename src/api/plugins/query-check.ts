import type { FastifyInstance } from 'fastify'
import { isCleanText, uncleanTextError } from '../body/body-check.ts'

/** Rejects NUL characters and unpaired surrogates in query strings: Redis and upstreams read them differently. */
export function rejectUncleanQueries(app: FastifyInstance): void {
  app.addHook('preValidation', ({ query }, _reply, done) => {
    for (const [name, value] of Object.entries(query as Record<string, unknown>)) {
      if (![name, value].flat().every((text) => isCleanText(String(text))))
        return done(uncleanTextError(name))
    }
    done()
  })
}
