import { providers } from '../../providers/index.ts'
import { hasKeys } from '../accounts/authenticator.ts'
import { createHolds } from '../accounts/holds.ts'
import { createKeyMarker } from '../accounts/key-marker.ts'
import { authOffWarning } from '../accounts/key-messages.ts'
import { createLedger } from '../accounts/ledger.ts'
import { ConfigError, readConfig, secretsOf } from '../config/config.ts'
import { markCleanShutdown } from '../jobs/store/epoch.ts'
import { createJobStore } from '../jobs/store/store.ts'
import { createUnknownJobs, jobDeadlineMs } from '../jobs/unknown-jobs.ts'
import { createConnections } from '../redis/connections.ts'
import { startEmbeddedRedis } from '../redis/embedded.ts'
import { createKeys } from '../redis/keys.ts'
import { createLogger } from '../telemetry/logger.ts'
import { createRedactor } from '../text/redact-text.ts'
import { readOverrides } from '../upstreams/overrides.ts'
import { createRouting } from '../upstreams/routing.ts'
import { CommandError, runKeysCommand } from './keys-command.ts'

let redact = createRedactor()

/** Uses the Redis of the gateway. If the embedded Redis is not running, it is started for the duration of the command. */
async function runCommand(): Promise<string> {
  const config = readConfig(process.env, Object.values(providers))
  const secrets = secretsOf(config)
  redact = createRedactor(secrets)
  const logger = createLogger({ level: 'error', secrets }, process.stderr)
  const keys = createKeys(config.redisPrefix)
  const embeddedRedis =
    config.redisUrl === undefined
      ? await startEmbeddedRedis({
          ...config,
          logger,
          beforeShutdown: (redis) => markCleanShutdown(redis, keys),
        })
      : undefined
  const target = embeddedRedis === undefined ? { url: config.redisUrl ?? '' } : { path: embeddedRedis.path }
  const connections = createConnections(target, { prefix: config.redisPrefix, logger })
  try {
    const redis = await connections.forRequests()
    const [redisSeconds] = await redis.time()
    const skewMs = Number(redisSeconds) * 1000 - Date.now()
    const holds = createHolds({ redis, keys })
    const { upstreams, longestJobSeconds, upstreamOverridesFile } = config
    const unknownJobs = createUnknownJobs({
      store: createJobStore({ redis, keys, keepMs: config.keepMs }),
      holds,
      routing: createRouting({
        providers,
        upstreams,
        overrides: upstreamOverridesFile === undefined ? {} : readOverrides(upstreamOverridesFile, providers),
      }),
      settingsOf: (provider) => upstreams[provider].settings,
      deadlineMs: (model) => jobDeadlineMs(model, longestJobSeconds),
      now: () => Date.now() + skewMs,
    })
    const { auth, keysCommand } = config
    const args = process.argv.slice(2)
    const output = await runKeysCommand(
      { ledger: createLedger({ redis, keys }), holds, unknownJobs, keysCommand },
      args,
    )
    await hasKeys(redis, keys, createKeyMarker({ ...config, logger: { warn: warnAboutMarker } }))
    if (args[0] === 'create' && auth === 'off') warn(authOffWarning)
    return output
  } finally {
    connections.close()
    await embeddedRedis?.stop()
  }
}

function warnAboutMarker({ file, code }: { file: string; code?: string | undefined }, message: string): void {
  warn(`${message} (${file}: ${code})`)
}

function warn(message: string): void {
  process.stderr.write(`Warning: ${message}\n`)
}

try {
  process.stdout.write(await runCommand())
} catch (cause) {
  const isExpected = cause instanceof CommandError || cause instanceof ConfigError
  process.stderr.write(
    isExpected
      ? `${cause.message}\n`
      : redact(`Error: ${cause instanceof Error ? cause.message : String(cause)}\n`),
  )
  process.exitCode = 1
}
