import type { FastifyBaseLogger } from 'fastify'
import type { Input } from '../../providers/input.ts'
import type { ProviderName } from '../../providers/provider.ts'
import type { Authenticator } from '../accounts/access.ts'
import type { Holds } from '../accounts/holds.ts'
import type { JobPrice } from '../accounts/job-price.ts'
import type { KeyHelp } from '../accounts/key-messages.ts'
import type { Ledger } from '../accounts/ledger.ts'
import type { UsageRow } from '../accounts/usage.ts'
import type { Model } from '../catalogue/model.ts'
import type { TrustProxy } from '../config/access-settings.ts'
import type { RequestLimits } from '../config/request-limits.ts'
import type { Engine } from '../jobs/engine.ts'
import type { UnknownJobs } from '../jobs/unknown-jobs.ts'
import type { Library } from '../media/inputs/library.ts'
import type { Sender, StoredInput } from '../media/inputs/store-input.ts'
import type { UploadBuffer } from '../media/inputs/upload-buffer.ts'
import type { ServedFile } from '../media/results/served-file.ts'
import type { Thumbnail, ThumbnailKind } from '../media/results/thumbnails.ts'
import type { StorageUnavailable } from '../media/storage/storage-fault.ts'
import type { SafeFetch } from '../net/safe-fetch.ts'
import type { TextLimits } from '../text/text-limits.ts'
import type { ChooseRoute } from '../upstreams/choose-route.ts'
import type { UpstreamReport } from '../upstreams/readiness.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'
import type { FailureLimits } from './plugins/failed-attempts.ts'
import type { OriginPolicy } from './plugins/origin-guard.ts'
import type { RateLimitOptions } from './plugins/rate-limits.ts'

/** Everything that the routes depend on. */
export type ApiDeps = {
  config: {
    /** The largest body of a request. */
    bodyLimitBytes: number
    /** The largest texts of a request; absent: the defaults. */
    textLimits?: TextLimits
    /** Absent: the defaults. */
    requestLimits?: RequestLimits
    /** The public address of the gateway; absent: taken from the headers of a request. */
    publicUrl?: string | undefined
    /** Addresses of trusted proxies; absent: those on this machine. */
    trustProxy?: TrustProxy
    /** Absent: the gateway can be reached from elsewhere, and pages of other origins need a key. */
    origins?: Omit<OriginPolicy, 'publicUrl'>
    /** Failures per minute and client address. */
    failedAttempts?: FailureLimits
    keyHelp?: KeyHelp
    /** How long finished videos are kept. */
    resultsKeptMs?: number
    /** How values that a model does not support are handled, unless a request prefers otherwise. */
    validation?: 'lenient' | 'strict'
    /** The longest prompt for models without a limit of their own. */
    promptMaxCharacters?: number
  }
  engine: Engine
  routing: {
    /** The upstreams that can render this now, in order of preference; empty: none has a key. */
    listUpstreams(model: Model, input: Input): readonly ProviderName[]
    isAvailable(model: Model): boolean
    /** Why none of the available upstreams can render this, for the client. */
    rejectionMessage(model: Model, input: Input): string | undefined
    /** The seed to use where no available upstream accepts the requested one. */
    adjustSeed(model: Model, input: Input): { seed: number; min: number; max: number } | undefined
    /** Environment variables, one of which would give the model an upstream. For the operator's log. */
    describeMissingVariables(model: Model): readonly string[]
    /** Mock upstreams render everything. */
    sandbox: boolean
  }
  /** Leaves out upstreams that must not get a job now; absent: none. */
  chooseRoute?: ChooseRoute | undefined
  /** State of the upstreams for `/ready`. */
  upstreams?: UpstreamReport | undefined
  media: {
    /** Stores what came as data URLs and returns the input with references instead. Throws `MediaRefused` and `QuotaExceeded`. */
    storeInput(input: Input, sender: Sender): Promise<StoredInput>
  }
  uploadBuffer: UploadBuffer
  library: Library
  /** `gone`: the file existed and has expired. */
  files: {
    /** A finished video by the name in its link. */
    video(name: string): Promise<ServedFile | 'gone' | undefined>
    /** A thumbnail of a video; `undefined` where none can be made. */
    createThumbnail(name: string, video: ServedFile, still: ThumbnailKind): Promise<Thumbnail | undefined>
    /** A thumbnail by the name in its link. */
    findThumbnail(name: string): Promise<Thumbnail | undefined>
    /** An input file by the signed name in the link that an upstream got. */
    input(token: string): Promise<ServedFile | 'gone' | undefined>
    /** Fetches a file of another server. */
    fetchExternal: SafeFetch['fetch']
    /** Removes a finished video and its thumbnails. */
    remove(name: string): Promise<void>
  }
  /** Whether files can be stored. */
  storage: {
    /** Why results cannot be stored at the moment; `undefined`: they can. */
    fault(): StorageUnavailable | undefined
    /** Throws `StorageUnavailable` when the disk has too little free space. */
    requireSpace(): Promise<void>
  }
  webhooks: Omit<Webhooks, 'deliver' | 'sweep' | 'stop' | 'close'>
  /** Handles an upstream's callback; false: the address is wrong. */
  receiveCallback(id: string, secret: string, body: unknown): Promise<boolean>
  /** Whether a callback address is valid; called before its body is read. */
  isCallbackAddress(id: string, secret: string): Promise<boolean>
  authenticator: Authenticator
  billing: {
    /** Absent: the owner is not limited. */
    balanceUsd(owner: string): Promise<number | undefined>
    /** Usage of these accounts on the last `days` days, including today. */
    usage(owners: readonly string[], days: number): Promise<UsageRow[]>
    price(model: Model, input: Input): JobPrice
    /** Throws `JobRefused` when the account may not have a job of this price; without one: any job. */
    check(owner: string, costUsd?: number): Promise<void>
    /** The operator's markup on the catalogue's prices. */
    markupPercent: number
  }
  rateLimits: RateLimitOptions
  /** Absent: there are no admin routes. */
  admin?: {
    adminKey: string
    ledger: Ledger
    holds: Pick<Holds, 'of'>
    unknownJobs: UnknownJobs
    /** Whether API keys are not checked. */
    isAuthOff?: boolean
  }
  /** Whether Redis is available. */
  isReady(): Promise<boolean>
  logger: FastifyBaseLogger
}
