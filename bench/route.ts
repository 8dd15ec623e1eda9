import Fastify from 'fastify'
import { findModel } from '../src/catalogue/models/index.ts'
import { buildRequestSchema } from '../src/catalogue/request-schema.ts'
import { model, statusReply, submitReply } from './bodies.ts'

/** What no gateway in Node can beat: the same bodies checked by a compiled schema, replies that are constants of the same size. */
const catalogueModel = findModel(model)
if (catalogueModel === undefined) throw new Error(`the catalogue has no ${model}`)

const app = Fastify({ logger: false })
app.post('/submit', { schema: { body: buildRequestSchema(catalogueModel) } }, async (_, reply) =>
  reply.code(202).header('content-type', 'application/json').send(submitReply),
)
app.get('/status', async (_, reply) => reply.header('content-type', 'application/json').send(statusReply))
process.stdout.write(`answers on ${await app.listen({ host: '127.0.0.1', port: 0 })}\n`)
