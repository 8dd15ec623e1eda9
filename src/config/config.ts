import { resolve } from 'node:path'
import type { Provider, ProviderName } from '../../providers/provider.ts'
import { isLoopbackAddress } from '../net/network-address.ts'
import { readAccessSettings } from './access-settings.ts'
import { readJobSettings } from './job-settings.ts'
import { findIncompleteUpstreams, type ProviderConfig, readProviderConfig } from './provider-settings.ts'
import { createReader, type Env, type Reader } from './reader.ts'
import { readRequestLimits, readTextLimits } from './request-limits.ts'
import { reviewEnvironment } from './review-environment.ts'
import { findIncompleteBucket, readStorageSettings } from './storage-settings.ts'

export type Config = ReturnType<typeof readConfig>

/** Thrown by `readConfig`: names every problem at once. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`Invalid configuration:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

/** Reads the environment into one frozen object. Every secret may come from a file instead (`FAL_KEY_FILE` for `FAL_KEY`). */
export function readConfig(env: Env, providers: readonly Provider[]) {
  const read = createReader(env)
  const host = read.text('HOST') ?? '127.0.0.1'
  const upstreams = Object.fromEntries(
    providers.map((provider) => [provider.name, readProviderConfig(provider, read)]),
  ) as Record<ProviderName, ProviderConfig>
  const hasUpstreamKey = Object.values(upstreams).some(
    ({ credentials }) => Object.keys(credentials).length > 0,
  )
  const sandbox = read.choice('SANDBOX', ['auto', 'on', 'off'], 'auto')
  const isSandbox = sandbox === 'on' || (sandbox === 'auto' && !hasUpstreamKey)

  const config = {
    role: read.choice('ROLE', ['all', 'api', 'worker'], 'all'),
    production: env.NODE_ENV === 'production',
    host,
    port: read.integer('PORT', 3000, 0, 65535),
    publicUrl: read.url('PUBLIC_URL'),
    ...readAccessSettings(read),
    logLevel: read.choice(
      'LOG_LEVEL',
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'info',
    ),
    dataDir: resolve(read.text('DATA_DIR') ?? '.data'),
    ...readRedisSettings(read),
    requests: readValidation(read),
    bodyLimitBytes: read.integer('BODY_LIMIT_MB', 32, 1, 1024) * 1024 * 1024,
    textLimits: readTextLimits(read),
    requestLimits: readRequestLimits(read),
    ...readJobSettings(read, providers),
    ...readStorageSettings(read),
    upstreamOverridesFile: read.text('UPSTREAM_OVERRIDES_FILE'),
    markupPercent: read.integer('MARKUP_PERCENT', 0, 0, 1000),
    webhooks: readWebhookSettings(read, isSandbox && isLoopback(host)),
    /** Whether mock upstreams replace the real ones. */
    sandbox: isSandbox,
    sandboxRenderMs: read.integer('SANDBOX_RENDER_SECONDS', 6, 0, 3600) * 1000,
    upstreams,
    /** Whether jobs cost money: a key of a real upstream is set, and the sandbox is off. */
    isPaid: hasUpstreamKey && !isSandbox,
    /** What is set only in part, as messages with the names of the variables. */
    incompleteUpstreams: [...findIncompleteUpstreams(providers, upstreams), ...findIncompleteBucket(read)],
    /** Probable mistakes in the environment that do not keep the gateway from starting. */
    warnings: reviewEnvironment(env, providers, {
      read,
      isProduction: env.NODE_ENV === 'production',
      sandbox,
      hasUpstreamKey,
    }),
  }
  if (read.problems.length > 0) throw new ConfigError(read.problems)
  return Object.freeze(config)
}

function readRedisSettings(read: Reader) {
  return {
    redisUrl: read.secret('REDIS_URL'),
    redisPrefix: read.text('REDIS_PREFIX') ?? 'reelgate:',
    /** How many replicas must confirm an intent before its purchase; 0: none. */
    waitReplicas: read.integer('REDIS_WAIT_REPLICAS', 0, 0, 10),
    waitReplicasMs: read.integer('REDIS_WAIT_MS', 1000, 1, 60_000),
    /** Whether an intent must be in the append-only file on disk before its purchase (Redis 7.2). */
    waitAof: read.choice('REDIS_WAIT_AOF', ['on', 'off'], 'off') === 'on',
    /** How long purchases pause after a failover to another Redis server. */
    failoverGraceMs: read.integer('REDIS_FAILOVER_GRACE_SECONDS', 15, 0, 300) * 1000,
    /** How long attempts are kept in the journal on disk, in case Redis loses them. */
    journalMs: read.integer('ATTEMPT_JOURNAL_HOURS', 24, 1, 720) * 3_600_000,
    /** A worker whose clock differs more than this from the clock of Redis executes no steps. */
    maxSkewMs: read.integer('MAX_CLOCK_SKEW_SECONDS', 5, 1, 3600) * 1000,
  }
}

function readValidation(read: Reader) {
  return {
    validation: read.choice('VALIDATION', ['lenient', 'strict'], 'lenient'),
    promptMaxCharacters: read.integer('PROMPT_MAX_CHARACTERS', 20_000, 100, 1_000_000),
  }
}

/** `isLocalTrial`: only this machine reaches the gateway, and jobs are free, so webhooks to private networks are allowed by default. */
function readWebhookSettings(read: Reader, isLocalTrial: boolean) {
  const privateNetworks = read.choice('WEBHOOK_ALLOW_PRIVATE_NETWORKS', ['auto', 'on', 'off'], 'auto')
  const delaysText = read.text('WEBHOOK_RETRY_SECONDS') ?? '5,30,120,600,3600,21600,43200'
  const seconds = delaysText.split(',').map((item) => Number(item.trim() || 'none'))
  if (!seconds.every((delay) => delay >= 0 && delay <= 86_400)) {
    read.problems.push(
      `WEBHOOK_RETRY_SECONDS must be numbers from 0 to 86400 separated by commas; it is "${delaysText}"`,
    )
  }
  return {
    allowPrivateNetworks: privateNetworks === 'on' || (privateNetworks === 'auto' && isLocalTrial),
    retriesMs: seconds.map((delay) => delay * 1000),
    /** Concurrent deliveries per process. */
    concurrency: {
      all: read.integer('WEBHOOK_CONCURRENCY', 256, 2, 10_000),
      failing: read.integer('WEBHOOK_FAILING_CONCURRENCY', 64, 2, 10_000),
      destination: read.integer('WEBHOOK_DESTINATION_CONCURRENCY', 8, 1, 1000),
    },
  }
}

/** The secret values of the configuration, which logs and errors must not contain. */
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
