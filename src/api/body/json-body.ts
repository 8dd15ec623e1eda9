import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { UploadedFile } from '../../catalogue/media-values/uploaded-file.ts'
import { type BodyDeps, bodyLimitOf, bodyTooLargeError, compressionError } from './body-arrival.ts'
import { type Reservation, releaseAfter } from './body-budget.ts'
import { type BodyDone, createJsonBodyReader, smallBodyBytes } from './read-json.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Files in the body. Those that were not stored are removed before the reply is sent. */
    uploads: readonly UploadedFile[] | undefined
    /** The share of a large body in the budget of all bodies, until the reply has been sent. */
    reservation: Reservation | undefined
  }
}

const validTypePattern = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;|$)/

/**
 * Reads every body as JSON, whatever its content type: `curl -d` sends JSON as a form, and some clients as text. An empty body counts as none,
 * also where its type is JSON. Keys that would change a prototype make a body invalid.
 */
export function registerJsonBodyParser(app: FastifyInstance, deps: BodyDeps): void {
  const { uploadBuffer, budget } = deps
  const { readSmall, readLarge } = createJsonBodyReader(deps)

  app.decorate('bodyDeps', deps)
  app.removeAllContentTypeParsers()
  app.decorateRequest('uploads', undefined)
  app.decorateRequest('reservation', undefined)
  // Fastify finds the first of the two without a search.
  app.addContentTypeParser(
    ['application/json', '*'],
    (request: FastifyRequest, payload: Readable, done: BodyDone) => {
      const declared = request.headers['content-length']
      const limitBytes = bodyLimitOf(request, deps)
      const encodingError = compressionError(request)
      if (encodingError !== undefined) done(encodingError)
      else if (Number(declared ?? 0) > limitBytes) done(bodyTooLargeError(limitBytes))
      else if (Number(declared) < smallBodyBytes) readSmall(request, payload, Number(declared), done)
      else {
        const reservation = budget.reserve()
        request.reservation = reservation
        readLarge(request, payload, reservation, limitBytes).then((body) => done(null, body), done)
      }
    },
  )
  // Fastify would reject a request with an invalid content type; here its body decides.
  app.addHook('onRequest', ({ raw: { headers } }, _reply, done) => {
    const type = headers['content-type']
    if (type !== undefined && !validTypePattern.test(type))
      headers['content-type'] = 'application/octet-stream'
    done()
  })
  app.addHook('preValidation', ({ uploads = [], reservation }, { raw }, done) => {
    if (uploads.length > 0) uploadBuffer.discardAfter(raw, uploads)
    if (reservation !== undefined) releaseAfter(raw, reservation)
    done()
  })
  app.addHook('onSend', ({ uploads = [] }, _reply, payload, done) => {
    if (uploads.length === 0) done(null, payload)
    else uploadBuffer.discard(uploads).then(() => done(null, payload), done)
  })
}
