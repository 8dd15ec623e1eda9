import type { Rejection } from './check.ts'
import type { Fault } from './faults.ts'
import type { Input, Json, JsonObject, MediaKind } from './input.ts'

export type ProviderName =
  | 'fal'
  | 'wavespeed'
  | 'runware'
  | 'bytedance'
  | 'midjourney'
  | 'magicapi'
  | 'longstories'

/**
 * One upstream. Pure: no network, clock, environment, Redis or HTTP server. The HTTP client of the gateway sends its calls, holds its keys and
 * limits their time.
 */
export type Provider = {
  name: ProviderName
  /** The name for people. */
  title: string
  /** An endpoint mapping names its host; the first one is the default. */
  hosts: Readonly<Record<string, Host>>
  /** By model ID: how this upstream renders it. */
  models: Readonly<Record<string, EndpointMapping>>
  /** Environment variables that change its calls, beside keys and addresses. */
  settings?: Readonly<Record<string, { default: string; description: string; choices?: readonly string[] }>>

  /**
   * What this upstream would reject in an input that the model accepts, as far as its schemas are known; its mock checks the same schemas.
   * Media are not checked: before the job exists, an uploaded file has no link yet.
   */
  check?(
    mapping: EndpointMapping,
    input: Input,
    settings: Readonly<Record<string, string>>,
  ): readonly Rejection[]

  /** The call that costs money. Sent at most once per attempt. */
  submit(mapping: EndpointMapping, order: Order): Call
  /** Parses the reply to `submit`. `failed`: certainly no task was created. `unclear`: there may be one. Never throws. */
  accept(reply: Reply, order: Order): Outcome
  /** The free call that returns the state of a task. */
  poll(ticket: TaskReference): Call
  /** Parses the reply to `poll`. `failed` ends the job; `unclear`: poll again. Never throws. */
  read(reply: Reply, ticket: TaskReference): Outcome

  task: {
    /** The upstream's own ID of a task: one job may claim it, and operators look it up. */
    id(ticket: TaskReference): string
    /** The reference of a task whose ID an operator has looked up; `undefined`: no task has such an ID. */
    reference(id: string, order: Order, mapping: EndpointMapping): TaskReference | undefined
  }

  /** Cancels a task. The reply is ignored: the next poll returns the state of the task. */
  cancel?(ticket: TaskReference): Call
  /** Finds the task of an attempt whose reply was lost. */
  find?: {
    call(mapping: EndpointMapping, order: Order): Call
    /** `absent`: the upstream has no such task (yet). Never throws. */
    read(reply: Reply, order: Order, mapping: EndpointMapping): Outcome | { kind: 'absent' } | TaskCandidates
    /** True if the upstream refuses a second task with the same attempt ID, so that the same call may be sent again. */
    safeToResend: boolean
  }
  /** Parses the upstream's callback, for a job whose submission reply was lost. */
  adopt?(body: unknown, order: Order, mapping: EndpointMapping): TaskReference | undefined

  /** How media without a public link reach this endpoint. `hasLinks`: whether upstreams can fetch files from us. */
  mediaTransfer(mapping: EndpointMapping, media: Media, hasLinks?: boolean): 'inline' | 'upload' | 'link'
  /** Uploads a file before the submission, in one or more calls. Free, so it may be repeated. */
  upload?: {
    call(media: Media): Call
    /** `next`: one more call, whose reply is not parsed; after a 2xx, the file is at `url`. */
    read(
      reply: Reply,
      media: Media,
    ):
      | { kind: 'uploaded'; url: string }
      | { kind: 'next'; call: Call; url: string }
      | { kind: 'failed'; fault: Fault }
  }
}

/**
 * Of an upstream without an ID of ours: the listed tasks that may be the attempt's. `same`: their inputs are identical, so any unclaimed one
 * will do; otherwise only a single one.
 */
export type TaskCandidates = {
  kind: 'candidates'
  tasks: readonly { ticket: TaskReference; outcome: Outcome }[]
  same: boolean
}

export type Host = {
  /** Scheme, host and path prefix, without a slash at the end. Absent: the operator must set one. */
  baseUrl?: string
  /** The environment variable that overrides it. */
  baseUrlVariable: string
  /** Environment variables that this host requires. */
  credentials: readonly string[]
  /** Authentication headers. Only sent to this host's origin. `credentials` holds the values of `Provider.settings` too; `at` is the time of the call. */
  sign(
    request: SignedRequest,
    credentials: Readonly<Record<string, string>>,
    at: Date,
  ): Record<string, string>
}

export type SignedRequest = {
  method: string
  url: URL
  headers: Readonly<Record<string, string>>
  body: string
}

/** How an upstream renders a model. */
export type EndpointMapping = {
  /** Key of `Provider.hosts`; the first one when absent. */
  host?: string
  /** By variant: the upstream's endpoint or model ID. Operators may replace each one. */
  endpoints: Readonly<Record<string, string>>
  /** The variant in `endpoints`, and the body in the upstream's fields. */
  toRequest(input: Input): EndpointRequest
  /** Why this upstream cannot render an input that the model accepts; absent: it can render all of them. */
  unsupported?(input: Input): string | undefined
  /** What is uncertain about it (an inferred ID, an old endpoint), for the operator: in docs/models.md, and in the log if the endpoint is gone. */
  note?: string
}

type EndpointRequest = { endpoint: string; body: JsonObject }

/** One attempt to purchase a video. */
export type Order = {
  jobId: string
  /** A UUID v4 of ours, stored before the call. */
  attempt: string
  input: Input
  /** When the attempt was stored; some task lists are searched by time. */
  at: Date
  /** The URL for the upstream's callback, if the gateway has a public address. */
  callbackUrl?: string
  /** Values of `Provider.settings`. */
  settings: Readonly<Record<string, string>>
}

/** Flat JSON, stored in the record as `ticket`: everything that another process needs to continue with a task. */
export type TaskReference = Readonly<Record<string, string | number | boolean>>

export type Call = {
  /** Key of `Provider.hosts`; the first one when absent. */
  host?: string
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Path and query below the host's base URL, with a leading slash; or a whole URL, which is called without a key. */
  path: string
  headers?: Readonly<Record<string, string>>
  json?: Json
  form?: Readonly<Record<string, string>>
  /** Sends the bytes of the uploaded media: as the body, or as this field of a multipart form. */
  media?: 'body' | { field: string }
}

export type Reply = {
  status: number
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>
  /** Parsed JSON, or the text if it is not JSON. */
  body: unknown
  /** The configured base URL of the host, by which links of the upstream itself are recognized. */
  baseUrl: string
}

/** `generating`: for upstreams that report rendering and preparation separately. */
export type Stage = 'queued' | 'processing' | 'generating'

export type Outcome =
  | {
      kind: 'running'
      ticket: TaskReference
      stage: Stage
      /** 0 to 100, if the upstream reports it. */
      progress?: number
      /** Poll again at once: the next reply will have the result. */
      now?: true
    }
  | { kind: 'done'; videos: readonly [Video, ...Video[]]; costUsd?: number; ticket?: TaskReference }
  | { kind: 'failed'; fault: Fault }
  | { kind: 'unclear'; fault: Fault }

export type Video = { url: string; thumbnailUrl?: string }

/** A stored file that an upstream needs. */
export type Media = { kind: MediaKind; contentType: string; bytes: number; filename: string }
