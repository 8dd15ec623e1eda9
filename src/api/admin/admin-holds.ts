import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { anonymousCaller } from '../../accounts/access.ts'
import type { Account } from '../../accounts/account.ts'
import type { Decision, Holds } from '../../accounts/holds.ts'
import { maxNoteLength } from '../../accounts/operation.ts'
import { explainRefusedDecision, type HoldDecisionResult, type UnknownJobs } from '../../jobs/unknown-jobs.ts'
import { ApiError } from '../errors.ts'

const NoteSchema = Type.Optional(Type.String({ maxLength: maxNoteLength }))
const DecisionSchema = Type.Unsafe<'charge' | 'release'>({ enum: ['charge', 'release'] })
const noOtherFields = { additionalProperties: false }
const DecisionBody = Type.Object({ decision: DecisionSchema, note: NoteSchema }, noOtherFields)
const DecisionOrTaskBody = Type.Object(
  {
    decision: Type.Optional(DecisionSchema),
    ticket: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'The task to adopt.' })),
    note: NoteSchema,
  },
  noOtherFields,
)
const KeyParams = Type.Object({ id: Type.String() })
const HoldParams = Type.Object({ id: Type.String(), job: Type.String() })

/** Who decides over these routes, as the ledger says it. */
const decidedBy = 'admin API'

type Deps = {
  holds: Pick<Holds, 'of'>
  unknownJobs: UnknownJobs
  onRequest: (request: FastifyRequest) => Promise<void>
  /** Throws where there is no such key. */
  readAccount(id: string): Promise<Account>
}

/** Money on hold, and the operator's decisions on it. All of them share one script with the command line. */
export function registerHoldRoutes(
  app: FastifyInstance,
  { holds, unknownJobs, onRequest, readAccount }: Deps,
): void {
  const routes = app.withTypeProvider<TypeBoxTypeProvider>()

  routes.get('/api/admin/keys/:id/held', { onRequest, schema: { params: KeyParams } }, async ({ params }) => {
    if (params.id !== anonymousCaller.owner) await readAccount(params.id)
    return { object: 'list', data: await holds.of(params.id) }
  })
  routes.post(
    '/api/admin/keys/:id/held/:job',
    { onRequest, schema: { params: HoldParams, body: DecisionBody } },
    async (request) => {
      const { id: owner, job } = request.params
      await readAccount(owner)
      requireDecision(request, job, await unknownJobs.decide(job, { ...request.body, owner, by: decidedBy }))
      return readAccount(owner)
    },
  )
  routes.get('/api/admin/unknown', { onRequest }, async () => ({
    object: 'list',
    data: await unknownJobs.list(),
  }))
  routes.post(
    '/api/admin/unknown/:id',
    { onRequest, schema: { params: KeyParams, body: DecisionOrTaskBody } },
    async (request) => {
      const { id } = request.params
      const { decision, ticket, ...options } = request.body
      if ((decision === undefined) === (ticket === undefined)) {
        const message =
          'Give either `decision` (`charge` or `release`) or `ticket` (the upstream task to adopt)'
        throw new ApiError('invalid_parameter_value', message, { param: 'decision' })
      }
      const result =
        decision === undefined
          ? await unknownJobs.adopt(id, { ...options, ticket: ticket ?? '', by: decidedBy })
          : await unknownJobs.decide(id, { ...options, decision, by: decidedBy })
      const { job: _, ...decided } = requireDecision(request, id, result)
      return { id, ...decided }
    },
  )
}

/** The decision that counts; throws where it is another one, or there can be none. */
function requireDecision(request: FastifyRequest, id: string, result: HoldDecisionResult): Decision {
  if (result.kind === 'done' || result.kind === 'replayed') {
    request.isReplayed = result.kind === 'replayed'
    return result.decision
  }
  throw result.kind === 'none'
    ? new ApiError('not_found', explainRefusedDecision(id, result))
    : new ApiError('conflict', explainRefusedDecision(id, result), {
        param: result.kind === 'no_such_task' ? 'ticket' : 'id',
      })
}
