import type { Logger } from 'pino'
import type { KeyFaultCode, RejectedKey, RejectedKeys } from './rejected-keys.ts'

/** The state of the upstreams for `/ready`. */
export type UpstreamReport = {
  /** Why no job can be rendered; `undefined`: at least one model has an upstream. */
  problem(): string | undefined
  /** Problems of single upstreams. */
  warnings(): Promise<readonly string[]>
}

type UpstreamReportOptions = {
  /** Whether any model has an upstream with all of its keys. */
  canRender: boolean
  /** One line for each upstream that lacks some of its settings. */
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

/** Logs at startup what `/ready` reports, and the messages of upstreams that reject a key. */
export function logUpstreams(
  report: Pick<UpstreamReport, 'problem'>,
  incompleteUpstreams: readonly string[],
  rejectedList: readonly RejectedKey[],
  logger: Pick<Logger, 'warn' | 'error'>,
): void {
  const problem = report.problem()
  if (problem !== undefined) logger.error(problem)
  for (const line of incompleteUpstreams) logger.warn(`Upstream partly configured. ${line}`)
  for (const rejectedKey of rejectedList)
    logger.warn({ reason: rejectedKey.reason }, describeRejectedKey(rejectedKey))
}

const codeTexts: Readonly<Record<KeyFaultCode, string>> = {
  bad_credentials: 'is rejected',
  no_credit: 'has no credit',
}

/** One line for `/ready`, without the upstream's message and without secrets. */
export function describeRejectedKey({ title, variables, code, since, retryAt }: RejectedKey): string {
  const times = `since ${new Date(since).toISOString()}, next try at ${new Date(retryAt).toISOString()}`
  return `${title}: ${variables.join(' and ')} ${codeTexts[code]} (${times})`
}
