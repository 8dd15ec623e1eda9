import { Type } from '@sinclair/typebox'
import { accountSchema, okResponse } from '../openapi/response-schemas.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { DecisionSchema, decidedBy, NoteSchema, requireDecision } from './hold-decision.ts'
import { type AdminDeps, noOtherFields, requireAccount } from './keys.ts'

const HoldParams = Type.Object({ id: Type.String(), job: Type.String() })
const DecisionBody = Type.Object({ decision: DecisionSchema, note: NoteSchema }, noOtherFields)

type Schemas = { params: typeof HoldParams; body: typeof DecisionBody }

export const decideHold: RouteDefinition<Schemas, AdminDeps> = {
  method: 'POST',
  path: '/api/admin/keys/:id/held/:job',
  docs: {
    id: 'decideHeld',
    tag: 'Operation',
    summary: 'Charge or release the money on hold for a job of this key',
    replies: okResponse('The key.', accountSchema),
    errorStatuses: [404, 409],
  },
  params: HoldParams,
  body: DecisionBody,
  respond: async ({ admin: { ledger, unknownJobs } }, request) => {
    const { id: owner, job } = request.params
    await requireAccount(ledger, owner)
    requireDecision(request, job, await unknownJobs.decide(job, { ...request.body, owner, by: decidedBy }))
    return requireAccount(ledger, owner)
  },
}
