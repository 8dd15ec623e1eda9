import { type FaultCode, faults } from '../../providers/faults.ts'
import { toUsd } from '../accounts/money.ts'
import type { Routing } from '../upstreams/routing.ts'
import type { Job } from './job.ts'
import { repeatsInput } from './repeats-input.ts'
import type { Settlement } from './store/settlement.ts'
import type { FinishedJob } from './store/transition-writer.ts'

type Logger = Record<'info' | 'warn', (fields: Record<string, unknown>, message: string) => void>

/** Writes the one log line of a finished job, at `warn` when an operator must act. */
export function createFinishedJobLog({
  logger,
  routing,
}: {
  logger: Logger
  routing: Pick<Routing, 'find'>
}) {
  function upstreamTaskId({ model }: Job['view'], { attempt, ticket }: Job['work']): string | undefined {
    if (attempt === undefined || ticket === undefined) return undefined
    return routing.find({ id: model }, attempt.provider)?.provider.task.id(ticket)
  }

  return ({ job, transition, settlement }: FinishedJob): void => {
    const { view, work, entry } = transition
    const { id, model, state, error, createdAt, completedAt = createdAt, sandbox } = view
    const reason = error === undefined ? undefined : operatorReason(error.code, entry?.reason, job)
    const level = sandbox !== true && needsOperator(error?.code, settlement) ? 'warn' : 'info'
    logger[level](
      {
        job: id,
        model,
        key: job.owner,
        state,
        ...(error !== undefined && { fault: error.code }),
        ...(reason !== undefined && { reason }),
        ...(work.attempt !== undefined && { provider: work.attempt.provider }),
        upstreamTask: upstreamTaskId(view, work),
        attempts: work.attempts ?? 0,
        costUsd: settlement.kind === 'charge' ? toUsd(settlement.micros) : 0,
        ...(settlement.kind === 'hold' && { onHoldUsd: toUsd(settlement.micros) }),
        ...(work.upstreamCostUsd !== undefined && { upstreamCostUsd: work.upstreamCostUsd }),
        durationMs: completedAt - createdAt,
        ...(sandbox === true && { sandbox }),
      },
      'Job finished',
    )
  }
}

/** Faults of the operator's side, and money on hold, which waits for a decision. */
function needsOperator(code: FaultCode | undefined, { kind }: Settlement): boolean {
  return kind === 'hold' || (code !== undefined && faults[code].blame === 'operator')
}

/** What the upstream or this gateway gave as the reason, unless it may quote the client's prompt. */
function operatorReason(code: FaultCode, reason: string | undefined, { input }: Job): string | undefined {
  return reason === undefined || faults[code].blame === 'client' || repeatsInput(reason, input)
    ? undefined
    : reason
}
