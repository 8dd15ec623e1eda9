import type { Logger } from 'pino'
import type { RejectedKey, RejectedKeys } from './rejected-keys.ts'
import { describeRejectedKey } from './rejected-keys.ts'

/** What `/ready` says of the upstreams. */
export type UpstreamReport = {
  /** Why no job can be rendered; `undefined`: some can. */
  problem(): string | undefined
  /** What is wrong with single upstreams. */
  warnings(): Promise<readonly string[]>
}

type UpstreamReportOptions = {
  /** Whether any model has an upstream with its keys. */
  canRender: boolean
  /** Upstreams that are set in part only. */
  incompleteUpstreams: readonly string[]
  rejectedKeys?: Pick<RejectedKeys, 'list'> | undefined
}

export function createUpstreamReport({
  canRender,
  incompleteUpstreams,
  rejectedKeys,
}: UpstreamReportOptions): UpstreamReport {
  const problem = canRender
    ? undefined
    : [
        'No upstream has all of its keys, and the sandbox is off: no job can be rendered',
        ...incompleteUpstreams,
      ].join('. ')
  return {
    problem: () => problem,
    async warnings() {
      const rejectedList = (await rejectedKeys?.list()) ?? []
      return [...incompleteUpstreams, ...rejectedList.map(describeRejectedKey)]
    },
  }
}

/** Names at startup what `/ready` says, once, and the words of upstreams that reject a key. */
export function logUpstreams(
  report: Pick<UpstreamReport, 'problem'>,
  incompleteUpstreams: readonly string[],
  rejectedList: readonly RejectedKey[],
  logger: Pick<Logger, 'warn' | 'error'>,
): void {
  const problem = report.problem()
  if (problem !== undefined) logger.error(problem)
  for (const line of incompleteUpstreams) logger.warn(`Upstream configured in part. ${line}`)
  for (const rejectedKey of rejectedList)
    logger.warn({ reason: rejectedKey.reason }, describeRejectedKey(rejectedKey))
}
