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
import type { TrustProxy } from '../config/config.ts'
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

/** What the app stands on; everything that a request can reach arrives here. */
export type ApiDeps = {
  config: {
    /** The largest body of a request. */
    bodyLimitBytes: number
    /** The largest texts of a request; absent: the defaults. */
    textLimits?: TextLimits
    /** Absent: the defaults. */
    requestLimits?: RequestLimits
    /** Where clients reach the gateway, if the request's own headers are not to be asked. */
    publicUrl?: string | undefined
    /** Which addresses are proxies whose headers describe the request; absent: those on this machine. */
    trustProxy?: TrustProxy
    /** Absent: others may reach the gateway, and no page of another origin may use it without a key. */
    origins?: Omit<OriginPolicy, 'publicUrl'>
    /** Failures per minute and client address. */
    failedAttempts?: FailureLimits
    keyHelp?: KeyHelp
    /** How long finished videos are kept. */
    resultsKeptMs?: number
    /** What becomes of values that a model does not render, unless a request prefers otherwise. */
    validation?: 'lenient' | 'strict'
    /** The longest text for a model that has no limit of its own. */
    promptMaxCharacters?: number
  }
  engine: Engine
  routing: {
    /** The upstreams that can render this now, best first; empty: none has a key. */
    listUpstreams(model: Model, input: Input): readonly ProviderName[]
    isAvailable(model: Model): boolean
    /** Why none of the upstreams at hand renders this, in words for the client. */
    rejectionMessage(model: Model, input: Input): string | undefined
    /** The seed to render with where no upstream at hand takes the one that was asked for. */
    adjustSeed(model: Model, input: Input): { seed: number; min: number; max: number } | undefined
    /** Environment variables, one of which would give the model an upstream. For the operator's log. */
    describeMissingVariables(model: Model): readonly string[]
    /** Stand-in upstreams render everything. */
    sandbox: boolean
  }
  /** Which upstreams of a route may have a job now; absent: all of them. */
  chooseRoute?: ChooseRoute | undefined
  /** What `/ready` says of the upstreams. */
  upstreams?: UpstreamReport | undefined
  media: {
    /** Stores what came as data URLs and returns the input with references instead. Throws `MediaRefused` and `QuotaExceeded`. */
    storeInput(input: Input, sender: Sender): Promise<StoredInput>
  }
  uploadBuffer: UploadBuffer
  library: Library
  /** `gone`: it was there, and its time is over. */
  files: {
    /** A finished video by the name in its link. */
    video(name: string): Promise<ServedFile | 'gone' | undefined>
    /** A picture of it; `undefined` where none can be made. */
    createThumbnail(name: string, video: ServedFile, still: ThumbnailKind): Promise<Thumbnail | undefined>
    /** A picture by the name in its link. */
    findThumbnail(name: string): Promise<Thumbnail | undefined>
    /** What a caller sent, by the signed name that an upstream was given. */
    input(token: string): Promise<ServedFile | 'gone' | undefined>
    /** A file that is not ours. */
    fetchExternal: SafeFetch['fetch']
    /** Removes a finished video and its pictures. */
    remove(name: string): Promise<void>
  }
  /** Whether files can be stored. */
  storage: {
    /** Why results could not be kept at the moment; `undefined`: they can. */
    fault(): StorageUnavailable | undefined
    /** Throws `StorageUnavailable` when the disk has too little free space. */
    requireSpace(): Promise<void>
  }
  webhooks: Omit<Webhooks, 'deliver' | 'sweep' | 'stop' | 'close'>
  /** An upstream's callback; false: the address is wrong. */
  receiveCallback(id: string, secret: string, body: unknown): Promise<boolean>
  /** Whether a callback address is right, before its body is read. */
  isCallbackAddress(id: string, secret: string): Promise<boolean>
  accounts: Authenticator
  billing: {
    /** Absent: the owner is not limited. */
    balanceUsd(owner: string): Promise<number | undefined>
    /** What these owners did on the last days, today included. */
    usage(owners: readonly string[], days: number): Promise<UsageRow[]>
    price(model: Model, input: Input): JobPrice
    /** Throws `Refused` when the account may not have a job of this price; without one: any job. */
    check(owner: string, costUsd?: number): Promise<void>
    /** What the operator adds to every price of the catalogue. */
    markupPercent: number
  }
  rateLimits: RateLimitOptions
  /** Absent: there are no routes for the operator. */
  admin?: {
    adminKey: string
    ledger: Ledger
    holds: Pick<Holds, 'of'>
    unknownJobs: UnknownJobs
    /** Whether keys are of no use. */
    isAuthOff?: boolean
  }
  /** Whether the store answers. */
  isReady(): Promise<boolean>
  logger: FastifyBaseLogger
}
