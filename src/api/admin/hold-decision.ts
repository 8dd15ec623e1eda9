import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import type { Decision } from '../../accounts/holds.ts'
import { maxNoteLength } from '../../accounts/operation.ts'
import { explainRefusedDecision, type HoldDecisionResult } from '../../jobs/unknown-jobs.ts'
import { ApiError } from '../errors.ts'

export const NoteSchema = Type.Optional(Type.String({ maxLength: maxNoteLength }))
export const DecisionSchema = Type.Unsafe<'charge' | 'release'>({ enum: ['charge', 'release'] })

/** Who decides over this API, as the ledger says it. */
export const decidedBy = 'admin API'

/** The decision that counts; throws where it is another one, or there can be none. */
export function requireDecision(request: FastifyRequest, id: string, result: HoldDecisionResult): Decision {
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
