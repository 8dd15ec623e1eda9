import type { Logger } from 'pino'
import type { EndpointMapping, Provider, ProviderName, Video } from '../../../providers/provider.ts'
import type { ProviderConfig } from '../../config/provider-settings.ts'
import type { InputUploader } from '../../media/inputs/upload-inputs.ts'
import type { DeliverOptions } from '../../media/results/results.ts'
import type { RejectedKeys } from '../../upstreams/rejected-keys.ts'
import type { RenderTimes } from '../../upstreams/render-times.ts'
import type { Routing } from '../../upstreams/routing.ts'
import type { UpstreamSlots } from '../../upstreams/slots.ts'
import type { Transport } from '../../upstreams/transport.ts'
import type { JobView } from '../job.ts'
import type { Journal } from '../journal/journal.ts'
import type { JobStore } from '../store/store.ts'
import type { NextStep } from '../store/transition.ts'

/** Dependencies of the steps. */
export type StepDeps = {
  store: JobStore
  routing: Routing
  transport: Transport
  renderTimes: RenderTimes
  slots: UpstreamSlots
  /** Absent in the sandbox. */
  rejectedKeys?: RejectedKeys | undefined
  /** Runs the next step of a job at this upstream now. */
  wake(provider: ProviderName, id: string): Promise<void>
  /** One attempt to deliver the webhook of a finished job. */
  deliverWebhook(id: string): Promise<NextStep>
  /** Polls a timed-out job at long intervals. */
  schedulePollForLateResult(id: string): Promise<void>
  journal: Pick<
    Journal,
    'begin' | 'storeReply' | 'discardReply' | 'discard' | 'markStored' | 'hasMade' | 'find'
  >
  /** Whether this Redis server has all attempts of this machine. */
  hasRestored(server: string): boolean
  /** Resolves when as many replicas have the intent as the operator requires; rejects if they do not confirm in time. */
  confirmReplicas(): Promise<void>
  inputUploader: InputUploader
  /** Stores the finished files of a job. Returns them with the links for clients. */
  storeResults(
    job: { id: string; secret: string },
    videos: readonly Video[],
    options: DeliverOptions,
  ): Promise<readonly Video[]>
  /** Time limits of delivery. */
  deliveryLimits: {
    /** For one result, without delays caused by this gateway. */
    timeoutMs: number
    /** Minimum time for delivery, even if the job's deadline ends earlier. */
    graceMs: number
    /** For delays of one result that are caused by this gateway. */
    storageRetryMs: number
  }
  isCancelRequested(id: string): Promise<boolean>
  /** Length of a stored video; `undefined`: unknown. */
  measureVideoSeconds(video: Video): Promise<number | undefined>
  /** Render time of a model until one has been measured. */
  defaultRenderMs(model: string): number
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
  /** Absent: this process may call every upstream. */
  missingKeys?: {
    /** Why this process must not call an upstream for an endpoint, for the operator. */
    reasonFor(provider: Provider, mapping: EndpointMapping): string | undefined
    /** How long after its deadline a job waits for a process that may call its upstream. */
    waitMs: number
  }
  /** Replacements for sandbox jobs; absent: there are no sandbox jobs. */
  sandbox?: Pick<StepDeps, 'upstreams' | 'renderTimes' | 'defaultRenderMs' | 'storeResults'>
  /** Time limit of one upstream call. */
  callTimeoutMs: number
  /** The longest time between two polls of a job. */
  maxPollIntervalMs: number
  /** How long a lost reply is searched for. */
  reconcileTimeoutMs: number
  /** A task counts as lost only after the upstream has reported it unknown for this long. */
  taskLostMs: number
  /** The capability URL that the upstream may call for a job; absent without a public address. */
  callbackUrl?(id: string, secret: string): string
  logger: Logger
  /** Clock of Redis, unix ms. */
  now(): number
  sleep(ms: number): Promise<void>
}

/**
 * The dependencies for the steps of one job. Mock upstreams never receive a real job and real upstreams never receive a sandbox job, whichever of
 * them this process accepts. Replies of mock upstreams say nothing about real keys.
 */
export function depsForJob(deps: StepDeps, { sandbox }: Pick<JobView, 'sandbox'>): StepDeps {
  if (sandbox !== true) return deps
  const { missingKeys: _, rejectedKeys: __, ...sharedDeps } = deps
  return { ...sharedDeps, ...deps.sandbox }
}
