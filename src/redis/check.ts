import type { Redis } from 'ioredis'
import type { BaseLogger } from 'pino'

const oldest = '6.2'

/**
 * Warns of what is at risk with this Redis, and throws where jobs would certainly go wrong. Reads INFO only, since managed
 * servers forbid CONFIG.
 */
export async function checkServer(
  client: Pick<Redis, 'info'>,
  { production, logger }: { production: boolean; logger: Pick<BaseLogger, 'warn'> },
): Promise<void> {
  const read = readFields(await client.info())
  const version = read('redis_version')
  const policy = read('maxmemory_policy')

  if (version === undefined) logger.warn(`Redis does not tell its version; at least ${oldest} is needed`)
  else if (isOlder(version, oldest))
    throw new Error(`Redis ${version} is too old: at least ${oldest} is needed`)

  if (read('cluster_enabled') === '1') {
    throw new Error('REDIS_URL names a Redis Cluster; a single Redis is needed, with replicas if you like')
  }

  if (policy === undefined) {
    logger.warn('Redis does not tell its maxmemory-policy: anything but noeviction loses accepted jobs')
  } else if (policy !== 'noeviction') {
    const risk = `Redis evicts keys when its memory is full (maxmemory-policy ${policy}): accepted jobs would be lost. Set noeviction`
    if (production) throw new Error(risk)
    logger.warn(risk)
  }

  if (read('aof_enabled') !== '1') {
    logger.warn(
      'Redis keeps no append-only file: a crash of it loses the jobs accepted since its last snapshot. Set appendonly yes',
    )
  }
}

function readFields(text: string): (name: string) => string | undefined {
  const fields = new Map(
    text.split('\r\n').map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1)] as const
    }),
  )
  return (name) => fields.get(name)
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0
}
