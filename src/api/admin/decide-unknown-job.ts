import { Type } from '@sinclair/typebox'
import { ApiError } from '../errors.ts'
import { okResponse } from '../openapi/response-schemas.ts'
import { jobParams } from '../requests/job-id.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { DecisionSchema, decidedBy, NoteSchema, requireDecision } from './hold-decision.ts'
import { type AdminDeps, noOtherFields } from './keys.ts'

const DecisionOrTaskBody = Type.Object(
  {
    decision: Type.Optional(DecisionSchema),
    ticket: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'The upstream task that the job resumes with.',
      }),
    ),
    note: NoteSchema,
  },
  noOtherFields,
)

type Schemas = { params: typeof jobParams; body: typeof DecisionOrTaskBody }

export const decideUnknownJob: RouteDefinition<Schemas, AdminDeps> = {
  method: 'POST',
  path: '/api/admin/unknown/:id',
  docs: {
    id: 'decideUnknown',
    tag: 'Operation',
    summary: 'Charge or release the money on hold for a job, or resume the job with its upstream task',
    replies: okResponse('The decision. The same decision again returns the first one.', { type: 'object' }),
    errorStatuses: [404, 409],
  },
  params: jobParams,
  body: DecisionOrTaskBody,
  respond: async ({ admin: { unknownJobs } }, request) => {
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
}
