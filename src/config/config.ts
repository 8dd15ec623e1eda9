import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Provider, ProviderName } from '../../providers/provider.ts'
import type { S3Settings } from '../media/storage/s3.ts'
import { type AddressTest, isLoopbackAddress, parseAddressRanges } from '../net/network-address.ts'
import { defaultTextLimits, type TextLimits } from '../text/text-limits.ts'
import { defaultRequestLimits, type RequestLimits } from './request-limits.ts'
import { reviewEnvironment } from './review-environment.ts'
import { findIncompleteUpstreams } from './upstream-config.ts'

type Env = Readonly<Record<string, string | undefined>>

export type ProviderConfig = {
  /** Host name -> base URL; absent where the operator must name one and has not. */
  baseUrls: Readonly<Record<string, string | undefined>>
  /** Every credential variable that is set. */
  credentials: Readonly<Record<string, string>>
  settings: Readonly<Record<string, string>>
  /** A mock upstream: no call with it leaves this machine. */
  sandbox?: true
}

export type Config = ReturnType<typeof readConfig>

/** Nobody shall guess it. */
const minAdminKeyLength = 16

/** Thrown by `readConfig`: names every problem at once. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`The configuration cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

/** Environment -> one frozen object. Every secret may come from a file instead (`FAL_KEY_FILE` for `FAL_KEY`). */
export function readConfig(env: Env, providers: readonly Provider[]) {
  const problems: string[] = []
  const read = createReader(env, problems)

  const host = read.text('HOST') ?? '127.0.0.1'
  const auth = read.choice('AUTH', ['keys', 'off'], 'keys')
  const adminKey = read.secret('ADMIN_KEY')
  if (adminKey !== undefined && adminKey.length < minAdminKeyLength) {
    problems.push(`ADMIN_KEY must have ${minAdminKeyLength} characters at least`)
  }

  const upstreams = Object.fromEntries(
    providers.map((provider) => [provider.name, readProvider(provider, read)]),
  ) as Record<ProviderName, ProviderConfig>
  const maxInFlight: Partial<Record<ProviderName, number>> = {}
  for (const { name } of providers) {
    const maxJobs = read.integer(`${name.toUpperCase()}_MAX_IN_FLIGHT`, 0, 0, 1_000_000)
    if (maxJobs > 0) maxInFlight[name] = maxJobs
  }
  const hasUpstreamKey = Object.values(upstreams).some(
    ({ credentials }) => Object.keys(credentials).length > 0,
  )
  const sandbox = read.choice('SANDBOX', ['auto', 'on', 'off'], 'auto')
  const isSandbox = sandbox === 'on' || (sandbox === 'auto' && !hasUpstreamKey)

  const upstreamTimeoutMs = read.integer('UPSTREAM_TIMEOUT_SECONDS', 30, 1, 300) * 1000
  const reconcileMs = read.integer('RECONCILE_SECONDS', 120, 1, 3600) * 1000
  if (reconcileMs <= upstreamTimeoutMs)
    problems.push(
      'RECONCILE_SECONDS must be more than UPSTREAM_TIMEOUT_SECONDS: a lost answer is looked for after a call has timed out',
    )

  const config = {
    role: read.choice('ROLE', ['all', 'api', 'worker'], 'all'),
    production: env.NODE_ENV === 'production',
    host,
    port: read.integer('PORT', 3000, 0, 65535),
    publicUrl: read.url('PUBLIC_URL'),
    auth,
    ...readAccess(read, problems),
    logLevel: read.choice(
      'LOG_LEVEL',
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'info',
    ),
    dataDir: resolve(read.text('DATA_DIR') ?? '.data'),
    redisUrl: read.secret('REDIS_URL'),
    redisPrefix: read.text('REDIS_PREFIX') ?? 'reelgate:',
    requests: readValidation(read),
    bodyLimitBytes: read.integer('BODY_LIMIT_MB', 32, 1, 1024) * 1024 * 1024,
    textLimits: readTextLimits(read),
    /** How long an upstream that rejects its key is left alone before one job tries it again; 0: not at all. */
    upstreamRetryMs: read.integer('UPSTREAM_RETRY_SECONDS', 300, 0, 86_400) * 1000,
    /** What is set in part only, by the names of the variables. */
    incompleteUpstreams: [...findIncompleteUpstreams(providers, upstreams), ...findIncompleteBucket(read)],
    requestLimits: readRequestLimits(read),
    keepMs: read.integer('KEEP_DAYS', 7, 1, 365) * 86_400_000,
    upstreamTimeoutMs,
    reconcileMs,
    /** For how long an upstream must say that it does not know a task, before the job ends as lost. */
    taskLostMs: read.integer('TASK_LOST_MINUTES', 10, 0, 1440) * 60_000,
    /** How long after its deadline a job waits for a worker with its upstream's key. */
    missingKeyWaitMs: read.integer('MISSING_KEY_WAIT_HOURS', 24, 0, 720) * 3_600_000,
    /** How many replicas must have an intent before its purchase; 0: none. */
    waitReplicas: read.integer('REDIS_WAIT_REPLICAS', 0, 0, 10),
    waitReplicasMs: read.integer('REDIS_WAIT_MS', 1000, 1, 60_000),
    /** Whether an intent must be in the append-only file on disk before its purchase (Redis 7.2). */
    waitAof: read.choice('REDIS_WAIT_AOF', ['on', 'off'], 'off') === 'on',
    /** How long purchases pause after another Redis server has taken over. */
    failoverGraceMs: read.integer('REDIS_FAILOVER_GRACE_SECONDS', 15, 0, 300) * 1000,
    /** How long attempts are remembered on disk, in case Redis loses them. */
    journalMs: read.integer('ATTEMPT_JOURNAL_HOURS', 24, 1, 720) * 3_600_000,
    /** A worker whose clock differs more from that of Redis takes no steps. */
    maxSkewMs: read.integer('MAX_CLOCK_SKEW_SECONDS', 5, 1, 3600) * 1000,
    /** Whether a key of a real upstream is set, so that jobs cost money. */
    isPaid: hasUpstreamKey && !isSandbox,
    /** No job runs longer, whatever its model's own deadline. */
    longestJobSeconds: read.integer('MAX_JOB_SECONDS', 7200, 1, 7 * 86_400),
    longestPollMs: read.integer('POLL_MAX_MS', 20_000, 50, 600_000),
    concurrency: read.integer('STEP_CONCURRENCY', 200, 1, 1000),
    /** How many jobs an upstream may have at once; absent: any number. */
    maxInFlight,
    s3: readS3(read, problems),
    results: read.choice('RESULTS', ['store', 'link'], 'store'),
    resultsKeptMs: read.integer('RESULT_DAYS', 7, 1, 365) * 86_400_000,
    libraryKeptMs: read.integer('LIBRARY_DAYS', 30, 1, 365) * 86_400_000,
    mediaLimits: {
      image: read.integer('IMAGE_MAX_MB', 30, 1, 1024) * 1024 * 1024,
      video: read.integer('VIDEO_MAX_MB', 200, 1, 4096) * 1024 * 1024,
      audio: read.integer('AUDIO_MAX_MB', 50, 1, 1024) * 1024 * 1024,
    },
    /** How much one key may store: its library, and the files it sent with its jobs lately. */
    quotaBytes: read.integer('STORAGE_QUOTA_MB', 10_240, 1, 100_000_000) * 1024 * 1024,
    /** How results are fetched from upstreams. */
    downloads: {
      largestBytes: read.integer('RESULT_MAX_MB', 4096, 1, 1_000_000) * 1024 * 1024,
      bytesPerSecond: read.integer('RESULT_MIN_KB_PER_SECOND', 8, 0, 1_000_000) * 1024,
      windowMs: read.integer('RESULT_STALL_SECONDS', 20, 1, 600) * 1000,
      total: read.integer('RESULT_DOWNLOADS', 100, 1, 1000),
      perHost: read.integer('RESULT_DOWNLOADS_PER_HOST', 50, 1, 1000),
    },
    /** How long a result is tried to be fetched, and to be stored. */
    delivery: {
      timeoutMs: read.integer('RESULT_TIMEOUT_SECONDS', 1800, 1, 86_400) * 1000,
      graceMs: read.integer('RESULT_GRACE_SECONDS', 600, 1, 86_400) * 1000,
      storageRetryMs: read.integer('RESULT_RETRY_HOURS', 24, 1, 720) * 3_600_000,
    },
    storage: {
      probeMs: read.integer('STORE_PROBE_SECONDS', 30, 1, 3600) * 1000,
      floorBytes: read.integer('DISK_FREE_FLOOR_MB', 512, 0, 1_000_000) * 1024 * 1024,
    },
    ffmpeg: read.text('FFMPEG_PATH') ?? 'ffmpeg',
    offersFile: read.text('OFFERS_FILE'),
    adminKey,
    markupPercent: read.integer('MARKUP_PERCENT', 0, 0, 1000),
    /** Requests a minute and key. */
    rateLimits: {
      submit: read.integer('SUBMIT_RPM', 50, 1, 1_000_000),
      recover: read.integer('RECOVER_RPM', 20, 1, 1_000_000),
      extend: read.integer('EXTEND_RPM', 20, 1, 1_000_000),
      library: read.integer('LIBRARY_RPM', 60, 1, 1_000_000),
    },
    webhooks: readWebhooks(read, problems, isSandbox && isLoopback(host)),
    /** Whether stand-in upstreams take the place of the real ones. */
    sandbox: isSandbox,
    sandboxRenderMs: read.integer('SANDBOX_RENDER_SECONDS', 6, 0, 3600) * 1000,
    upstreams,
    /** What looks like a mistake in the environment, but does not keep the gateway from starting. */
    warnings: reviewEnvironment(env, providers, {
      readNames: read.names,
      blankSecrets: read.blanks,
      problems,
      isProduction: env.NODE_ENV === 'production',
      sandbox,
      hasUpstreamKey,
    }),
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(config)
}

/** Which addresses, counted from ours outwards, are proxies whose headers describe the request. */
export type TrustProxy = (address: string, hop: number) => boolean

/** Failures per minute and client address. */
export const defaultFailureLimits = { admin: 120, key: 1200, callback: 120 }

export const defaultKeysCommand = 'npm run keys --'

/** Who may use the gateway from where. */
function readAccess(read: Reader, problems: string[]) {
  return {
    /** Web pages that may use a gateway that asks for no key: origins, or `*`. */
    allowedOrigins: readOrigins(read, problems),
    trustProxy: readTrustProxy(read, problems),
    /** Failures per minute and client address, after which further failures get 429. */
    failedAttempts: {
      admin: read.integer('FAILED_ADMIN_KEY_RPM', defaultFailureLimits.admin, 1, 1_000_000),
      key: read.integer('FAILED_API_KEY_RPM', defaultFailureLimits.key, 1, 1_000_000),
      callback: read.integer('FAILED_CALLBACK_RPM', defaultFailureLimits.callback, 1, 1_000_000),
    },
    /** How the operator of this installation runs the command for keys, as messages name it. */
    keysCommand: read.text('KEYS_COMMAND') ?? defaultKeysCommand,
  }
}

function readOrigins(read: Reader, problems: string[]): readonly string[] {
  return splitList(read.text('ALLOWED_ORIGINS')).map((entry) => {
    const url = URL.canParse(entry) ? new URL(entry) : undefined
    // `URL.origin` is "null" for the schemes of browser extensions.
    const origin = url === undefined ? entry : `${url.protocol}//${url.host}`
    const isOrigin = url !== undefined && url.host !== '' && url.href.replace(/\/$/, '') === origin
    if (entry !== '*' && !isOrigin) {
      problems.push(
        `ALLOWED_ORIGINS must be origins such as https://app.example.com with commas between, or *; it has "${entry}"`,
      )
    }
    return origin
  })
}

function readTrustProxy(read: Reader, problems: string[]): TrustProxy {
  const value = (read.text('TRUST_PROXY') ?? 'loopback').toLowerCase()
  if (['off', 'false', 'no'].includes(value)) return () => false
  if (['all', 'on', 'true', 'yes'].includes(value)) return () => true
  if (/^\d+$/.test(value)) return (_, hop) => hop < Number(value)
  const includes: AddressTest | undefined = parseAddressRanges(splitList(value))
  if (includes !== undefined) return includes
  problems.push(
    `TRUST_PROXY must be off, all, a number of proxies, or addresses and ranges with commas between (10.0.0.0/8, loopback, linklocal, uniquelocal); it is "${value}"`,
  )
  return () => false
}

function splitList(value = ''): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function readProvider(provider: Provider, read: Reader): ProviderConfig {
  const hostEntries = Object.entries(provider.hosts)
  const credentialNames = new Set(hostEntries.flatMap(([, { credentials }]) => credentials))
  const credentials: Record<string, string> = {}
  for (const name of credentialNames) {
    const value = read.secret(name)
    if (value !== undefined) credentials[name] = value
  }
  return {
    baseUrls: Object.fromEntries(
      hostEntries.map(([name, host]) => [name, read.url(host.baseUrlVariable) ?? host.baseUrl]),
    ),
    credentials,
    settings: Object.fromEntries(
      Object.entries(provider.settings ?? {}).map(([name, setting]) => [
        name,
        setting.choices === undefined
          ? (read.text(name) ?? setting.default)
          : read.choice(name, setting.choices, setting.default),
      ]),
    ),
  }
}

function findIncompleteBucket(read: Reader): string[] {
  if (read.text('S3_BUCKET') !== undefined) return []
  const setVariables = ['S3_ACCESS_KEY', 'S3_SECRET_KEY'].filter(
    (name) => read.text(name) !== undefined || read.text(`${name}_FILE`) !== undefined,
  )
  return setVariables.length === 0
    ? []
    : [`S3: ${setVariables.join(' and ')} set, S3_BUCKET is missing: files are kept on disk`]
}

function readTextLimits(read: Reader): TextLimits {
  const { linkMaxBytes, idMaxCharacters, listMaxItems, recordMaxBytes } = defaultTextLimits
  return {
    linkMaxBytes: read.integer('LINK_MAX_BYTES', linkMaxBytes, 256, 1_000_000),
    idMaxCharacters: read.integer('ID_MAX_CHARACTERS', idMaxCharacters, 36, 10_000),
    listMaxItems: read.integer('LIST_MAX_ITEMS', listMaxItems, 1, 10_000),
    recordMaxBytes: read.integer('RECORD_MAX_KB', recordMaxBytes / 1024, 16, 4096) * 1024,
  }
}

/** How the values of a request are checked. */
function readValidation(read: Reader) {
  return {
    validation: read.choice('VALIDATION', ['lenient', 'strict'], 'lenient'),
    promptMaxCharacters: read.integer('PROMPT_MAX_CHARACTERS', 20_000, 100, 1_000_000),
  }
}

/** Who tries the gateway out at home may receive webhooks there; where others can reach it, they must not reach inward through it. */
function readWebhooks(read: Reader, problems: string[], isLocalTrial: boolean) {
  const privateNetworks = read.choice('WEBHOOK_ALLOW_INWARD', ['auto', 'on', 'off'], 'auto')
  const delaysText = read.text('WEBHOOK_RETRY_SECONDS') ?? '5,30,120,600,3600,21600,43200'
  const seconds = delaysText.split(',').map((item) => Number(item.trim() || 'none'))
  if (!seconds.every((delay) => delay >= 0 && delay <= 86_400)) {
    problems.push(
      `WEBHOOK_RETRY_SECONDS must be numbers from 0 to 86400 with commas between; it is "${delaysText}"`,
    )
  }
  return {
    allowPrivateNetworks: privateNetworks === 'on' || (privateNetworks === 'auto' && isLocalTrial),
    retriesMs: seconds.map((delay) => delay * 1000),
    /** How many deliveries a process makes at once. */
    concurrency: {
      all: read.integer('WEBHOOK_CONCURRENCY', 256, 2, 10_000),
      failing: read.integer('WEBHOOK_FAILING_CONCURRENCY', 64, 2, 10_000),
      destination: read.integer('WEBHOOK_DESTINATION_CONCURRENCY', 8, 1, 1000),
    },
  }
}

/** `docs/limits.md` lists them. */
function readRequestLimits(read: Reader): RequestLimits {
  const { unauthenticatedBytes, json, form, allBodies, connections, stallMs, bytesPerSecond } =
    defaultRequestLimits
  const kilobyte = 1024
  const megabyte = 1024 * kilobyte
  return {
    unauthenticatedBytes:
      read.integer('UNAUTHENTICATED_BODY_LIMIT_KB', unauthenticatedBytes / kilobyte, 1, 1024) * kilobyte,
    json: {
      bytes: read.integer('JSON_LIMIT_KB', json.bytes / kilobyte, 64, 65_536) * kilobyte,
      values: read.integer('JSON_MAX_VALUES', json.values, 100, 10_000_000),
      depth: read.integer('JSON_MAX_DEPTH', json.depth, 8, 1000),
      files: read.integer('JSON_MAX_FILES', json.files, 1, 10_000),
    },
    form: {
      fields: read.integer('FORM_MAX_FIELDS', form.fields, 1, 10_000),
      files: read.integer('FORM_MAX_FILES', form.files, 1, 1000),
    },
    allBodies: {
      memoryBytes: read.integer('MAX_BODY_MEMORY_MB', allBodies.memoryBytes / megabyte, 1, 65_536) * megabyte,
      totalBytes:
        read.integer('MAX_BODY_MB_IN_FLIGHT', allBodies.totalBytes / megabyte, 1, 1_000_000) * megabyte,
    },
    connections: read.integer('MAX_CONNECTIONS', connections, 1, 1_000_000),
    stallMs: read.integer('CONNECTION_STALL_SECONDS', stallMs / 1000, 1, 600) * 1000,
    bytesPerSecond: read.integer('BODY_MIN_BYTES_PER_SECOND', bytesPerSecond, 0, 1_000_000),
  }
}

/** Where files lie, if not on disk. */
function readS3(read: Reader, problems: string[]): S3Settings | undefined {
  const bucket = read.text('S3_BUCKET')
  const endpoint = read.url('S3_ENDPOINT')
  const accessKeyId = read.secret('S3_ACCESS_KEY')
  const secretAccessKey = read.secret('S3_SECRET_KEY')
  if (bucket === undefined) {
    if (endpoint !== undefined) problems.push('S3_ENDPOINT is set, but S3_BUCKET does not name a bucket')
    return undefined
  }
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    problems.push('S3_ACCESS_KEY and S3_SECRET_KEY must be set together')
  }
  return {
    bucket,
    region: read.text('S3_REGION') ?? 'us-east-1',
    timeoutMs: read.integer('S3_TIMEOUT_SECONDS', 30, 1, 600) * 1000,
    forcePathStyle:
      read.choice('S3_FORCE_PATH_STYLE', ['true', 'false'], endpoint === undefined ? 'false' : 'true') ===
      'true',
    ...(endpoint !== undefined && { endpoint }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
  }
}

type Reader = ReturnType<typeof createReader>

function createReader(env: Env, problems: string[]) {
  /** Every name that was read. */
  const readNames = new Set<string>()
  /** Secrets that are set and hold nothing; `isUsed`: another variable has the value. */
  const blanks: { name: string; message: string; isUsed: boolean }[] = []
  const text = (name: string): string | undefined => {
    readNames.add(name)
    const value = env[name]?.trim()
    return value === '' ? undefined : value
  }
  /** Quotes alone come of env files whose reader keeps them. */
  const isBlank = (value: string | undefined) => /^[\s"']+$/.test(value ?? '')
  return {
    text,
    names: readNames,
    blanks,
    secret(name: string): string | undefined {
      const file = text(`${name}_FILE`)
      const value = text(name)
      if (env[`${name}_FILE`] !== undefined && file === undefined)
        blanks.push({
          name,
          message: `${name}_FILE is empty: name a file, or remove it`,
          isUsed: value !== undefined,
        })
      if (file === undefined && isBlank(env[name])) {
        blanks.push({ name, message: `${name} is set but blank`, isUsed: false })
        return undefined
      }
      if (file === undefined) return value
      try {
        const content = readFileSync(file, 'utf8').trim()
        if (content !== '' && !isBlank(content)) return content
        blanks.push({ name, message: `${name}_FILE names a file that is empty`, isUsed: false })
        return undefined
      } catch (cause) {
        problems.push(
          // Some put the secret itself there.
          `${name}_FILE names a file that cannot be read (${cause instanceof Error && 'code' in cause ? cause.code : 'unknown reason'})`,
        )
        return undefined
      }
    },
    choice<const Choices extends readonly string[]>(
      name: string,
      choices: Choices,
      fallback: Choices[number],
    ): Choices[number] {
      const value = text(name)?.toLowerCase()
      if (value === undefined) return fallback
      if (choices.includes(value)) return value
      problems.push(`${name} must be one of ${choices.join(', ')}; it is "${value}"`)
      return fallback
    },
    integer(name: string, fallback: number, min: number, max: number): number {
      const value = text(name)
      if (value === undefined) return fallback
      const parsed = Number(value)
      if (Number.isInteger(parsed) && parsed >= min && parsed <= max) return parsed
      problems.push(`${name} must be a whole number from ${min} to ${max}; it is "${value}"`)
      return fallback
    },
    url(name: string): string | undefined {
      const value = text(name)
      if (value === undefined) return undefined
      if (/^https?:\/\//.test(value) && URL.canParse(value)) return value.replace(/\/+$/, '')
      problems.push(`${name} must be an http(s) address`)
      return undefined
    },
  }
}

/** Every value of the configuration that must not be seen. */
export function secretsOf({ redisUrl = '', adminKey, upstreams, s3 }: Config): string[] {
  const password = URL.canParse(redisUrl) ? new URL(redisUrl).password : ''
  const candidates = [
    password,
    decodeURIComponent(password),
    adminKey,
    s3?.credentials?.secretAccessKey,
    ...Object.values(upstreams).flatMap(({ credentials }) => Object.values(credentials)),
  ]
  return candidates.filter((secret): secret is string => secret !== undefined && secret !== '')
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || isLoopbackAddress(host)
}
