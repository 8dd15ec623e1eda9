import type { Rejection } from './check.ts'
import type { Fault } from './fault.ts'
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
 * One upstream: a translator, not a client. Pure: no network, clock, environment or Redis. The shared transport sends
 * its calls, holds its keys and bounds their time.
 */
export type Provider = {
  name: ProviderName
  /** As people write it. */
  title: string
  /** Where it answers. An offer names its host; the first one is the default. */
  hosts: Readonly<Record<string, Host>>
  /** Model id -> how this upstream renders it. */
  offers: Readonly<Record<string, Offer>>
  /** Environment variables, beyond keys and addresses, that change how it is asked. */
  settings?: Readonly<Record<string, { default: string; description: string; choices?: readonly string[] }>>

  /**
   * What this upstream would reject in an input that the model accepts, as far as its schemas are known; its sandbox checks
   * the same schemas. Media are not looked at: before the job exists, a file of ours has no link yet.
   */
  check?(offer: Offer, input: Input, settings: Readonly<Record<string, string>>): readonly Rejection[]

  /** The call that costs money. Sent at most once for an attempt. */
  submit(offer: Offer, order: Order): Call
  /** What the answer to `submit` means. `failed`: certainly no task was made. `unclear`: there may be one. */
  accept(reply: Reply, order: Order): Outcome
  /** The free call that asks how a task fares. */
  poll(ticket: Ticket): Call
  /** What the answer to `poll` means. `failed` ends the job; `unclear` says nothing about it: ask again. */
  read(reply: Reply, ticket: Ticket): Outcome

  task: {
    /** The upstream's own id of a task: one job may claim it, and an operator finds it under it. */
    id(ticket: Ticket): string
    /** The ticket of a task whose id an operator has looked up; `undefined`: no task has such an id. */
    ticket(id: string, order: Order, offer: Offer): Ticket | undefined
  }

  /** Asks the upstream to stop. Its answer is not read: the next poll tells what became of the task. */
  cancel?(ticket: Ticket): Call
  /** Finds out whether an attempt whose answer was lost made a task. */
  find?: {
    call(offer: Offer, order: Order): Call
    /** `absent`: the upstream knows of no such task (yet). */
    read(reply: Reply, order: Order, offer: Offer): Outcome | { kind: 'absent' } | Alike
    /** True where the upstream refuses a second task under the same attempt id, so that the same call may be sent again. */
    safeToResend: boolean
  }
  /** Reads the upstream's id out of its own callback, for a job whose submit answer was lost. */
  adopt?(body: unknown, order: Order, offer: Offer): Ticket | undefined

  /** How a piece of media that is not a public link is handed over to this offer. `hasLinks`: whether upstreams can fetch files from us. */
  takes(offer: Offer, media: Media, hasLinks?: boolean): 'inline' | 'upload' | 'link'
  /** Hands a file over before the job; may take several calls. Free, so it may be repeated. */
  upload?: {
    call(media: Media): Call
    /** `next`: one call more, which is not read; when it is taken (2xx) the file is at `url`. */
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
 * What an upstream lists that knows no id of ours: tasks that look like the attempt's, with what became of each. `same`: they were asked
 * for exactly the same, so that any of them will do that is nobody else's; otherwise only one that is alone.
 */
export type Alike = {
  kind: 'alike'
  tasks: readonly { ticket: Ticket; outcome: Outcome }[]
  same: boolean
}

export type Host = {
  /** Scheme, host and path prefix, no slash at the end. Absent: the operator must name one. */
  baseUrl?: string
  /** The environment variable that replaces it. */
  baseUrlVariable: string
  /** Environment variables that must be set before this host can be asked. */
  credentials: readonly string[]
  /** Headers that prove who we are. Only ever sent to this host's origin. `credentials` holds the values of `Provider.settings` too; `at` is the time of the call. */
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

/** Joins a model to an upstream. */
export type Offer = {
  /** Key of `Provider.hosts`; the first one when absent. */
  host?: string
  /** Variant -> the upstream's endpoint or model id. Operators may replace each one. */
  endpoints: Readonly<Record<string, string>>
  /** Our input as the upstream's: which of `endpoints`, and the body. */
  translate(input: Input): Translation
  /** Why this offer cannot render an input that the model accepts; absent: it can render all of them. */
  refuses?(input: Input): string | undefined
  /** What is uncertain about it (an inferred ID, an old endpoint), for the operator: in docs/models.md, and in the log if the endpoint is gone. */
  note?: string
}

type Translation = { endpoint: string; body: JsonObject }

/** One attempt to buy. */
export type Order = {
  jobId: string
  /** UUID v4, made by us and stored before the call. */
  attempt: string
  input: Input
  /** When the attempt was stored, for upstreams whose task list is searched by time. */
  at: Date
  /** The capability URL that brings the next poll forward, where the gateway has a public address. */
  hintUrl?: string
  /** Values of `Provider.settings`. */
  settings: Readonly<Record<string, string>>
}

/** Flat JSON, stored in the record: all that is needed to go on with a task in another process. */
export type Ticket = Readonly<Record<string, string | number | boolean>>

export type Call = {
  /** Key of `Provider.hosts`; the first one when absent. */
  host?: string
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Path and query below the host's base URL, beginning with a slash; or a whole URL, which is then called without any key. */
  path: string
  headers?: Readonly<Record<string, string>>
  json?: Json
  form?: Readonly<Record<string, string>>
  /** Sends the bytes of the media at hand: as the body, or as this field of a multipart form. */
  media?: 'body' | { field: string }
}

export type Reply = {
  status: number
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>
  /** Parsed JSON, or the text as it came where it is not JSON. */
  body: unknown
  /** The host's base URL as configured, so that links of the upstream's own can be told from foreign ones. */
  baseUrl: string
}

/** `generating` is for upstreams that tell rendering from preparing. */
export type Stage = 'queued' | 'processing' | 'generating'

export type Outcome =
  | {
      kind: 'running'
      ticket: Ticket
      stage: Stage
      /** 0 to 100, where the upstream tells. */
      progress?: number
      /** Poll again at once: the next call is known to have the answer. */
      now?: true
    }
  | { kind: 'done'; videos: readonly [Video, ...Video[]]; costUsd?: number; ticket?: Ticket }
  | { kind: 'failed'; fault: Fault }
  | { kind: 'unclear'; fault: Fault }

export type Video = { url: string; thumbnailUrl?: string }

/** A file that we hold and an upstream is to see. */
export type Media = { kind: MediaKind; contentType: string; bytes: number; filename: string }
