import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { parseEnv } from 'node:util'
import { parse } from 'yaml'
import { providers } from '../../providers/index.ts'
import { readConfig } from '../../src/config/config.ts'

type Service = { environment?: Record<string, string>; env_file?: { path: string }[]; ports?: string[] }

const example = readFileSync('.env.example', 'utf8')
const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
  services: Record<string, Service>
}

/** Every setting of the example, also those that are commented out. */
const everySetting = example.replace(/^# (?=[A-Z][A-Z0-9_]*=)/gm, '')

/** What `${NAME:-default}` becomes. */
function interpolate(text: string, env: NodeJS.Dict<string>): string {
  return text.replace(/\$\{(\w+):-([^}]*)\}/g, (_, name: string, fallback: string) => env[name] || fallback)
}

/** The environment of a container: the file, then `environment`. */
function environmentOf(service: string, dotenv: string): NodeJS.Dict<string> {
  const file = parseEnv(dotenv)
  const { environment = {} } = compose.services[service] ?? {}
  const own = Object.entries(environment).map(([name, value]) => [name, interpolate(value, file)])
  return { ...file, ...Object.fromEntries(own) }
}

describe('docker compose', () => {
  const files: Readonly<Record<string, string>> = {
    'no .env': '',
    'the example': example,
    'every setting of the example': everySetting,
    'settings for a gateway outside of containers': `${example}
HOST=127.0.0.1
PORT=8080
DATA_DIR=/var/lib/reelgate
REDIS_URL=redis://127.0.0.1:6379
REDIS_URL_FILE=/run/secrets/redis
ROLE=all
NODE_ENV=development
AUTH=`,
  }
  for (const [what, dotenv] of Object.entries(files)) {
    for (const role of ['api', 'worker']) {
      it(`starts the ${role} with ${what}`, () => {
        const config = readConfig(environmentOf(role, dotenv), Object.values(providers))
        const { host, port, dataDir, redisUrl, auth, production } = config
        assert.deepEqual(
          { role: config.role, host, port, dataDir, redisUrl, auth, production },
          {
            role,
            host: '0.0.0.0',
            port: 3000,
            dataDir: '/data',
            redisUrl: 'redis://redis:6379',
            auth: 'keys',
            production: true,
          },
        )
        assert.match(config.keysCommand, /^docker compose exec api node src\/cli\/keys\.ts$/)
      })
    }
  }

  it('lets the operator turn keys off, and publishes on loopback only', () => {
    assert.equal(environmentOf('api', 'AUTH=off').AUTH, 'off')
    const [port = ''] = compose.services.api?.ports ?? []
    assert.equal(interpolate(port, {}), '127.0.0.1:3000:3000')
    assert.equal(interpolate(port, parseEnv(everySetting)), '127.0.0.1:3000:3000')
  })

  it('parses each line of the example like Node', () => {
    // Compose replaces $, and both unquote; the example needs neither.
    const line = /^(#.*|[A-Z][A-Z0-9_]*=([^\s#$'"`\\]([^#$'"`\\]*[^\s#$'"`\\])?)?|)$/
    assert.deepEqual(
      everySetting.split('\n').filter((one) => !line.test(one)),
      [],
    )
  })
})
