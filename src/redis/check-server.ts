import type { Redis } from 'ioredis'
import type { BaseLogger } from 'pino'

const minVersion = '6.2'
const minWaitAofVersion = '7.2'

type Options = {
  production: boolean
  /** Whether jobs cost money. */
  paid?: boolean
  /** How many replicas must confirm an intent before its purchase. */
  waitReplicas?: number
  /** Whether an intent is synced to disk before its purchase, independently of `appendfsync`. */
  waitAof?: boolean
  logger: Pick<BaseLogger, 'warn'>
}

/**
 * Warns about settings of this Redis that put jobs at risk, and throws about those that certainly lose jobs. Reads INFO where possible, because managed
 * servers forbid CONFIG.
 */
export async function checkRedisServer(
  client: Pick<Redis, 'info' | 'config'>,
  { production, paid = false, waitReplicas = 0, waitAof = false, logger }: Options,
): Promise<void> {
  const field = parseInfo(await client.info())
  const version = field('redis_version')
  const evictionPolicy = field('maxmemory_policy')

  if (version === undefined)
    logger.warn(`Redis does not report its version; at least ${minVersion} is required`)
  else if (isOlder(version, minVersion))
    throw new Error(`Redis ${version} is too old: at least ${minVersion} is required`)

  if (field('cluster_enabled') === '1') {
    throw new Error(
      'REDIS_URL is a Redis Cluster, which is not supported: use a single Redis, with or without replicas',
    )
  }

  if (evictionPolicy === undefined) {
    logger.warn(
      'Redis does not report its maxmemory-policy: every policy except noeviction loses accepted jobs',
    )
  } else if (evictionPolicy !== 'noeviction') {
    const risk = `Redis evicts keys when its memory is full (maxmemory-policy ${evictionPolicy}), which loses accepted jobs. Set maxmemory-policy noeviction`
    if (production) throw new Error(risk)
    logger.warn(risk)
  }

  if (field('aof_enabled') !== '1') {
    logger.warn(
      'Redis has no append-only file: a crash loses the jobs accepted since its last snapshot. Set appendonly yes',
    )
  } else if (paid && !waitAof && (await readFsyncPolicy(client)) !== 'always') {
    logger.warn(
      'Redis syncs its append-only file once per second: a power cut can lose the intent of a purchase. The journal under DATA_DIR restores it if that disk survives. appendfsync always (or REDIS_WAIT_AOF=on) is safe without the journal',
    )
  }

  if (waitAof && version !== undefined && isOlder(version, minWaitAofVersion))
    throw new Error(`REDIS_WAIT_AOF requires Redis ${minWaitAofVersion}; this is ${version}`)
  const replicas = Number(field('connected_slaves') ?? 0)
  if (waitReplicas > replicas) {
    logger.warn(
      { waitReplicas, replicas },
      'Redis has fewer replicas than REDIS_WAIT_REPLICAS: nothing is purchased until they are connected',
    )
  } else if (paid && replicas > 0 && waitReplicas === 0) {
    logger.warn(
      { replicas },
      'Redis has replicas, and a failover can lose the intent of a purchase. The journal under DATA_DIR restores it if its worker survives. Set REDIS_WAIT_REPLICAS=1 to purchase only after a replica has the intent',
    )
  }
}

/** `undefined`: this server does not report it. */
async function readFsyncPolicy(client: Pick<Redis, 'config'>): Promise<string | undefined> {
  const reply = await client.config('GET', 'appendfsync').catch(() => undefined)
  return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : undefined
}

function parseInfo(text: string): (name: string) => string | undefined {
  const fields = new Map(
    text.split('\r\n').map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1)] as const
    }),
  )
  return (name) => fields.get(name)
}

function isOlder(version: string, minimum: string): boolean {
  return version.localeCompare(minimum, 'en', { numeric: true }) < 0
}
