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

/** What a step works with. */
export type StepDeps = {
  store: JobStore
  routing: Routing
  transport: Transport
  renderTimes: RenderTimes
  slots: UpstreamSlots
  /** Upstreams that reject their key; absent in the sandbox. */
  rejectedKeys?: RejectedKeys | undefined
  /** Lets the next step of a job at this upstream happen now. */
  wake(provider: ProviderName, id: string): Promise<void>
  /** One attempt to tell the end of a job to its owner. */
  deliverWebhook(id: string): Promise<NextStep>
  /** Asks for a job that has timed out once in a while. */
  schedulePollForLateResult(id: string): Promise<void>
  /** The attempts of this machine, on its disk. */
  journal: Pick<
    Journal,
    'begin' | 'storeReply' | 'discardReply' | 'discard' | 'markStored' | 'hasMade' | 'find'
  >
  /** Whether the attempts of this machine are known to this Redis server. */
  hasRestored(server: string): boolean
  /** Resolves when as many replicas as the operator asks for have the intent; rejects when they do not confirm in time. */
  confirmReplicas(): Promise<void>
  inputUploader: InputUploader
  /** Stores the finished files of a job and answers the links that clients are given. */
  storeResults(
    job: { id: string; secret: string },
    videos: readonly Video[],
    options: DeliverOptions,
  ): Promise<readonly Video[]>
  /** How long delivery may take. */
  deliveryLimits: {
    /** Of one result, as far as its upstream delays it. */
    timeoutMs: number
    /** A job's deadline does not end delivery before this. */
    graceMs: number
    /** Of one result, as far as our own storage delays it. */
    storageRetryMs: number
  }
  /** Whether somebody has asked for the end of the job. */
  isCancelRequested(id: string): Promise<boolean>
  /** How long a stored video is; absent where nobody can tell. */
  measureVideoSeconds(video: Video): Promise<number | undefined>
  /** How long a model renders, as long as nothing has been measured. */
  defaultRenderMs(model: string): number
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
  /** Absent: this process may call every upstream. */
  missingKeys?: {
    /** Why this process must not call an upstream for an endpoint, for the operator. */
    reasonFor(provider: Provider, mapping: EndpointMapping): string | undefined
    /** How long after its deadline a job waits for a process that may call its upstream. */
    waitMs: number
  }
  /** What sandbox jobs are worked on with instead; absent: there are none. */
  sandbox?: Pick<StepDeps, 'upstreams' | 'renderTimes' | 'defaultRenderMs' | 'storeResults'>
  /** The longest that an upstream call may take. */
  callTimeoutMs: number
  /** The longest time between two polls of a job. */
  maxPollIntervalMs: number
  /** How long a lost answer is looked for. */
  reconcileTimeoutMs: number
  /** For how long an upstream must say that it does not know a task. */
  taskLostMs: number
  /** The capability URL of a job for its upstream, where the gateway has a public address. */
  callbackUrl?(id: string, secret: string): string
  logger: Logger
  /** The time of Redis, unix ms. */
  now(): number
  sleep(ms: number): Promise<void>
}

/** What a job is worked on with: mock upstreams never see a real job, real upstreams never see a sandbox job, whatever this process accepts. What mock upstreams reply says nothing of real keys. */
export function depsForJob(deps: StepDeps, { sandbox }: Pick<JobView, 'sandbox'>): StepDeps {
  if (sandbox !== true) return deps
  const { missingKeys: _, rejectedKeys: __, ...sharedDeps } = deps
  return { ...sharedDeps, ...deps.sandbox }
}
