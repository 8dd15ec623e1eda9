import closeWithGrace from 'close-with-grace'
import { providers } from '../providers/index.ts'
import { ConfigError, readConfig, secretsOf } from './config/config.ts'
import { type Gateway, startGateway } from './gateway.ts'
import { createLogger } from './telemetry/logger.ts'
import { createRedactor } from './text/redact-text.ts'

/** A step under way may take as long as two upstream calls. */
const shutdownTimeoutMs = (upstreamTimeoutMs: number) => 2 * upstreamTimeoutMs + 10_000

/** With real keys, a job costs money: the suggestion then is a request that is free. */
function suggestionFor({ address, upstreams }: Gateway): string {
  if (upstreams.some(({ state }) => state !== 'sandbox')) return `curl -s ${address}/api/v1/video-models`
  return `curl -s ${address}/api/generate-video -H 'content-type: application/json' \\
    -d '{"model":"veo3-fast-video","prompt":"A paper boat crosses a puddle","duration":"8"}'`
}

/** For whoever started the gateway in a terminal. */
function createBanner(gateway: Gateway): string {
  const { address, upstreams } = gateway
  const upstreamStates = upstreams.map(({ title, state }) => `${title} (${state})`).join(', ')
  return `
Listening on ${address}
Upstreams: ${upstreamStates}

Try it:
  ${suggestionFor(gateway)}

`
}

/**
 * Under `npm start`, Ctrl+C sends SIGINT twice, from the terminal and from npm. A second signal during the shutdown ends the process at once, so the
 * duplicate is dropped. A SIGINT is then handled like SIGTERM.
 */
function dropDuplicateInterrupts(): void {
  let interruptedAt = Number.NEGATIVE_INFINITY
  process.on('SIGINT', () => {
    if (performance.now() - interruptedAt < 1000) return
    interruptedAt = performance.now()
    process.emit('SIGTERM', 'SIGTERM')
  })
}

let redact = createRedactor()
try {
  const config = readConfig(process.env, Object.values(providers))
  const secrets = secretsOf(config)
  redact = createRedactor(secrets)
  const logger = createLogger({ level: config.logLevel, secrets })
  for (const warning of config.warnings) logger.warn(warning)
  const gateway = await startGateway(config, logger)
  dropDuplicateInterrupts()
  const delay = shutdownTimeoutMs(config.upstreamTimeoutMs)
  closeWithGrace({ delay, logger, skip: ['SIGINT'] }, async ({ signal, err }) => {
    const startedAt = performance.now()
    await gateway.stop()
    const fields = { signal, err, durationMs: Math.round(performance.now() - startedAt) }
    if (err === undefined) logger.info(fields, 'Stopped')
    else logger.error(fields, 'Stopped because of an unexpected error')
  })
  // In production the output is JSON only; the address is in the log.
  if (config.role !== 'worker' && !config.production) process.stdout.write(createBanner(gateway))
} catch (cause) {
  process.stderr.write(
    cause instanceof ConfigError
      ? `${cause.message}\n`
      : redact(`Reelgate cannot start: ${cause instanceof Error ? cause.message : String(cause)}\n`),
  )
  process.exitCode = 1
}
