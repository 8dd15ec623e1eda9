import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Account } from '../accounts/account.ts'
import type { Decision, Holds } from '../accounts/holds.ts'
import { anonymous } from '../accounts/open.ts'
import { longestNote } from '../accounts/operation.ts'
import { refusalOf, type Settled, type UnknownJobs } from '../engine/unknown.ts'
import { ApiError } from './errors.ts'

const Note = Type.Optional(Type.String({ maxLength: longestNote }))
const Charge = Type.Unsafe<'charge' | 'release'>({ enum: ['charge', 'release'] })
const strict = { additionalProperties: false }
const ChargeOrRelease = Type.Object({ decision: Charge, note: Note }, strict)
const ChargeReleaseOrAdopt = Type.Object(
  {
    decision: Type.Optional(Charge),
    ticket: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'The task to adopt.' })),
    note: Note,
  },
  strict,
)
const Id = Type.Object({ id: Type.String() })
const HoldOfKey = Type.Object({ id: Type.String(), job: Type.String() })

/** Who decides over these routes, as the ledger says it. */
const by = 'admin API'

type Deps = {
  holds: Pick<Holds, 'of'>
  unknown: UnknownJobs
  onRequest: (request: FastifyRequest) => Promise<void>
  /** Throws where there is no such key. */
  account(id: string): Promise<Account>
}

/** Money on hold, and the operator's decisions on it. All of them share one script with the command line. */
export function adminHolds(app: FastifyInstance, { holds, unknown, onRequest, account }: Deps): void {
  const routes = app.withTypeProvider<TypeBoxTypeProvider>()

  routes.get('/api/admin/keys/:id/held', { onRequest, schema: { params: Id } }, async ({ params }) => {
    if (params.id !== anonymous.owner) await account(params.id)
    return { object: 'list', data: await holds.of(params.id) }
  })
  routes.post(
    '/api/admin/keys/:id/held/:job',
    { onRequest, schema: { params: HoldOfKey, body: ChargeOrRelease } },
    async (request) => {
      const { id: owner, job } = request.params
      await account(owner)
      decided(request, job, await unknown.decide(job, { ...request.body, owner, by }))
      return account(owner)
    },
  )
  routes.get('/api/admin/unknown', { onRequest }, async () => ({
    object: 'list',
    data: await unknown.list(),
  }))
  routes.post(
    '/api/admin/unknown/:id',
    { onRequest, schema: { params: Id, body: ChargeReleaseOrAdopt } },
    async (request) => {
      const { id } = request.params
      const { decision, ticket, ...wish } = request.body
      if ((decision === undefined) === (ticket === undefined)) {
        const message =
          'Give either `decision` (`charge` or `release`) or `ticket` (the upstream task to adopt)'
        throw new ApiError('invalid_parameter_value', message, { param: 'decision' })
      }
      const settled =
        decision === undefined
          ? await unknown.adopt(id, { ...wish, ticket: ticket ?? '', by })
          : await unknown.decide(id, { ...wish, decision, by })
      const { job: _, ...made } = decided(request, id, settled)
      return { id, ...made }
    },
  )
}

/** The decision that counts; throws where it is another one, or there can be none. */
function decided(request: FastifyRequest, id: string, settled: Settled): Decision {
  if (settled.kind === 'done' || settled.kind === 'replayed') {
    request.replayed = settled.kind === 'replayed'
    return settled.decision
  }
  throw settled.kind === 'none'
    ? new ApiError('not_found', refusalOf(id, settled))
    : new ApiError('conflict', refusalOf(id, settled), {
        param: settled.kind === 'no_such_task' ? 'ticket' : 'id',
      })
}
