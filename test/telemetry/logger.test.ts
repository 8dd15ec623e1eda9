import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { createConnections } from '../../src/redis/connections.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { createRedactor } from '../../src/text/redact-text.ts'
import { createCleanup, startRedis } from '../support/setup.ts'

const secret = 'prompt-of-a-client-4711'

function logOf(error: unknown, secrets: string[] = []): string {
  const lines: string[] = []
  const logger = createLogger({ level: 'debug', secrets }, { write: (line: string) => lines.push(line) })
  logger.error({ err: error }, 'failed')
  assert.equal(lines.length, 1)
  return lines[0] ?? ''
}

describe('the log line of a Redis error', () => {
  const cleanup = createCleanup()
  let redis: Redis
  before(async () => {
    redis = (await startRedis(cleanup)).redis
    await redis.set('text', 'text')
  })
  after(() => cleanup.run())

  const failing: readonly [what: string, fail: () => Promise<unknown>, command: string][] = [
    ['a command of the wrong type', () => redis.hset('text', 'field', secret), 'hset'],
    [
      'a script',
      () => redis.eval("return redis.call('HSET', KEYS[1], 'f', ARGV[1])", 1, 'text', secret),
      'eval',
    ],
    ['an unknown command', () => redis.call('nosuch', secret), 'nosuch'],
    ['a transaction', () => redis.multi().call('nosuch', secret).exec(), 'exec'],
  ]
  for (const [what, fail, command] of failing) {
    it(`${what} contains the command and none of its arguments`, async () => {
      const error = await fail().then(
        () => assert.fail('it should fail'),
        (cause: unknown) => cause,
      )
      const line = logOf(error)
      assert.doesNotMatch(line, new RegExp(secret))
      const { err } = JSON.parse(line)
      assert.ok(err.message.length > 0 && err.stack.includes(' at '))
      assert.equal(err.command, command)
    })
  }

  it('has no arguments as a cause, in a list of errors, and deeply nested', async () => {
    const error = await redis.hset('text', 'field', secret).catch((cause: unknown) => cause)
    for (const wrapped of [
      new Error('outside', { cause: error }),
      new AggregateError([error, error], 'several'),
      new Error('a', { cause: new AggregateError([new Error('b', { cause: error })]) }),
    ]) {
      const line = logOf(wrapped)
      assert.match(line, /WRONGTYPE/)
      assert.match(line, /"command":"hset"/)
      assert.doesNotMatch(line, new RegExp(secret))
    }
  })

  it('would contain the arguments without our serializer', async () => {
    const error = await redis.hset('text', 'field', secret).catch((cause: unknown) => cause)
    const lines: string[] = []
    pino({}, { write: (line: string) => lines.push(line) }).error({ err: error })
    assert.match(lines.join(), new RegExp(secret))
  })

  it('is limited, however deep the causes are', () => {
    const error = new Error('loop')
    error.cause = error
    assert.ok(logOf(error).length < 20_000)
  })
})

describe('a log line', () => {
  it('contains no secret of the configuration, in any place', () => {
    const key = 'key"with\\strange/characters'
    const line = logOf(new Error(`refused ${key} and ${encodeURIComponent(key)}`), [key])
    assert.doesNotMatch(line, /strange/)
    assert.match(line, /refused \[redacted\] and \[redacted\]/)
  })

  it('contains no password of a URL', () => {
    const line = logOf(new Error('connect redis://user:hunter2@redis.example:6379/0 failed'))
    assert.doesNotMatch(line, /hunter2/)
    assert.match(line, /redis:\/\/\[redacted\]@redis\.example:6379/)
    assert.doesNotMatch(logOf('rediss://:hunter2@host'), /hunter2/)
  })

  it('contains nothing that a library attached to an error', () => {
    const error = Object.assign(new Error('no'), {
      code: 'E_NO',
      response: { body: secret },
      $response: { headers: { authorization: secret } },
    })
    const { err } = JSON.parse(logOf(error))
    assert.deepEqual(Object.keys(err).sort(), ['code', 'message', 'stack', 'type'])
    assert.deepEqual(
      JSON.parse(logOf({ password: secret })).err.message,
      'a value that is not an error was thrown',
    )
  })
})

it('a failed connection logs no password', async () => {
  const lines: string[] = []
  const logger = createLogger({ level: 'debug' }, { write: (line: string) => lines.push(line) })
  const connections = createConnections(
    { url: 'redis://user:hunter2@127.0.0.1:1' },
    { prefix: 'x:', logger, connectTimeoutMs: 50 },
  )
  await assert.rejects(connections.forRequests(), (error: Error) => !/hunter2/.test(error.message))
  connections.close()
  assert.doesNotMatch(lines.join(), /hunter2/)
})

describe('a log line', () => {
  for (const part of ['a.', 'a-', 'sk-', 'a://', 'a@', 'https://a:', '?key='])
    it(`of 200 kB of ${part} is redacted in time`, () => {
      const redact = createRedactor(['a-secret-of-the-test'])
      const startedAt = performance.now()
      redact(part.repeat(200_000 / part.length))
      assert.ok(performance.now() - startedAt < 1000)
    })
})
