import type { Logger } from 'pino'
import type { RejectedKey, RejectedKeys } from './upstreams/rejected-keys.ts'
import { describeRejectedKey } from './upstreams/rejected-keys.ts'

/** What `/ready` says of the upstreams. */
export type UpstreamReport = {
  /** Why no job can be rendered; `undefined`: some can. */
  fault(): string | undefined
  /** What is wrong with single upstreams. */
  warnings(): Promise<readonly string[]>
}

type Options = {
  /** Whether any model has an upstream with its keys. */
  canRender: boolean
  /** Upstreams that are set in part only. */
  incomplete: readonly string[]
  rejectedKeys?: Pick<RejectedKeys, 'list'> | undefined
}

export function createUpstreamReport({ canRender, incomplete, rejectedKeys }: Options): UpstreamReport {
  const fault = canRender
    ? undefined
    : ['No upstream has all of its keys, and the sandbox is off: no job can be rendered', ...incomplete].join(
        '. ',
      )
  return {
    fault: () => fault,
    async warnings() {
      const rejected = (await rejectedKeys?.list()) ?? []
      return [...incomplete, ...rejected.map(describeRejectedKey)]
    },
  }
}

/** Names at startup what `/ready` says, once, and the words of upstreams that reject a key. */
export function logUpstreams(
  report: Pick<UpstreamReport, 'fault'>,
  incomplete: readonly string[],
  rejected: readonly RejectedKey[],
  logger: Pick<Logger, 'warn' | 'error'>,
): void {
  const fault = report.fault()
  if (fault !== undefined) logger.error(fault)
  for (const line of incomplete) logger.warn(`Upstream configured in part. ${line}`)
  for (const one of rejected) logger.warn({ reason: one.reason }, describeRejectedKey(one))
}
