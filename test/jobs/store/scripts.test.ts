import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Redis } from 'ioredis'
import { runware } from '../../../providers/runware/index.ts'
import { ledgerRetentionMs } from '../../../src/accounts/money.ts'
import type { Job } from '../../../src/jobs/job.ts'
import type { NewJobRecord } from '../../../src/jobs/store/create-job.ts'
import { markCleanShutdown, observeRedisServer } from '../../../src/jobs/store/epoch.ts'
import { createJobStore } from '../../../src/jobs/store/store.ts'
import { createFailedTransition, createTransition } from '../../../src/jobs/store/transition.ts'
import { createKeys } from '../../../src/redis/keys.ts'
import { createCleanup, startRedis } from '../../support/setup.ts'

const keepMs = 3_600_000
const attempt = { id: 'attempt-1', provider: 'runware', at: 1000 } as const
const identical = { fingerprint: 'f', forMs: 0 }

/** As the scripts name it: by its run and its data. */
async function serverOf(redis: Redis): Promise<string> {
  const [run] = /(?<=run_id:)\w+/.exec(await redis.info('server')) ?? []
  const [replication] = /(?<=master_replid:)\w+/.exec(await redis.info('replication')) ?? []
  return `${run}:${replication}`
}

/** What the scripts write, key by key, also when they are executed twice. */
describe('an atomic write', () => {
  const cleanup = createCleanup()
  const keys = createKeys('writes:')
  let url: string
  let redis: Redis
  let store: ReturnType<typeof createJobStore>
  let jobs = 0

  before(async () => {
    ;({ url, redis } = await startRedis(cleanup))
    store = createJobStore({ redis, keys, keepMs, graceMs: 60_000 })
  })
  after(() => cleanup.run())

  const createRecord = (
    more: Partial<NewJobRecord> = {},
    view: Partial<NewJobRecord['view']> = {},
  ): NewJobRecord => {
    const id = `job${++jobs}`
    return {
      view: {
        id,
        version: 1,
        model: 'veo',
        state: 'pending',
        progress: 0,
        createdAt: Date.now(),
        costUsd: 1,
        ...view,
      },
      owner: 'ann',
      input: { prompt: id },
      work: { route: ['runware'], deadlineAt: 9e15, refusals: 0, misses: 0, polls: 0 },
      callbackSecret: 'secret',
      dueAt: 5000,
      queue: 'runware',
      ...more,
    }
  }
  const accept = async (more: Partial<NewJobRecord> = {}) => {
    const given = createRecord(more)
    await store.create(given)
    return given.view.id
  }
  const claim = async (id: string): Promise<Job> => {
    const job = await store.claimStep(id, 7000)
    return typeof job === 'object' ? job : assert.fail(job)
  }
  const intentOf = (job: Job, at?: number) =>
    createTransition(job, {
      view: { state: 'submitting' },
      work: { attempt },
      now: Date.now(),
      ...(at === undefined ? {} : { at }),
    })
  const ended = async (more: Partial<NewJobRecord> = {}) => {
    const job = await claim(await accept(more))
    assert.ok(
      await store.write(
        job,
        createFailedTransition(job, { code: 'upstream_error', message: '' }, Date.now()),
      ),
    )
    return job.view.id
  }
  const listen = async (id: string) => {
    const listener = redis.duplicate({ enableOfflineQueue: true })
    const messages: string[] = []
    listener.on('message', (_, message: string) => messages.push(message))
    await listener.subscribe(keys.channel(id))
    cleanup.add(() => listener.disconnect())
    return messages
  }
  const isClose = (value: number, to: number) => assert.ok(value <= to && value > to - 5000, `${value} ${to}`)

  describe('of an intent', () => {
    it('writes the record, the history, the due time and the channel', async () => {
      const job = await claim(await accept())
      const messages = await listen(job.view.id)
      const intent = intentOf(job, 20_000)
      const stored = await store.storeIntent(job, intent, identical)
      const server = await serverOf(redis)
      assert.deepEqual(stored, { kind: 'stored', server })
      const { id } = job.view
      assert.equal(await redis.hget(keys.job(id), 'attempt'), 'attempt-1')
      assert.equal(await redis.zscore(keys.open, id), '25000')
      const read = await store.read(id)
      assert.equal(read?.view.state, 'submitting')
      assert.equal(read.view.version, 2)
      assert.deepEqual(read.work, intent.work)
      assert.deepEqual(
        (await store.readHistory(id)).map(({ state }) => state),
        ['pending', 'submitting'],
      )
      while (messages.length === 0) await new Promise(setImmediate)
      assert.match(messages[0] ?? '', /^2 \{.*"submitting"/)
      assert.equal(await redis.exists(keys.identicalRequests('runware', 'f')), 0)
    })

    it('needs an attempt', async () => {
      const job = await claim(await accept())
      await assert.rejects(
        store.storeIntent(job, createTransition(job, { now: 1 }), identical),
        /an intent has an attempt/,
      )
    })

    it('records how long a reply to the same request may come', async () => {
      const job = await claim(await accept())
      await store.storeIntent(job, intentOf(job), { fingerprint: 'same', forMs: 3000 })
      const key = keys.identicalRequests('runware', 'same')
      assert.equal(await redis.zscore(key, job.view.id), '1000')
      isClose(await redis.pttl(key), 3000)
    })

    it('is rejected for a second attempt while the first is running', async () => {
      const job = await claim(await accept())
      await store.storeIntent(job, intentOf(job), identical)
      const other = createTransition(job, {
        view: { state: 'submitting' },
        work: { attempt: { ...attempt, id: 'attempt-2' } },
        now: 1,
      })
      assert.deepEqual(await store.storeIntent(job, other, identical), { kind: 'stale' })
    })

    it('is rejected for the same attempt once the job has progressed', async () => {
      const job = await claim(await accept())
      const intent = intentOf(job)
      await store.storeIntent(job, intent, identical)
      await redis.hset(keys.job(job.view.id), 'state', 'queued')
      assert.deepEqual(await store.storeIntent(job, intent, identical), { kind: 'stale' })
    })

    it('is rejected for an older step, after a cancel, and after the deadline by Redis time', async () => {
      const stale = await claim(await accept())
      await claim(stale.view.id)
      assert.deepEqual(await store.storeIntent(stale, intentOf(stale), identical), { kind: 'stale' })
      const stopped = await claim(await accept())
      await store.requestCancel(stopped.view.id)
      assert.deepEqual(await store.storeIntent(stopped, intentOf(stopped), identical), { kind: 'canceled' })
      for (const [afterMs, kind] of [
        [-1, 'expired'],
        [60_000, 'stored'],
      ] as const) {
        const job = await claim(await accept())
        const overdueJob = { ...job, work: { ...job.work, deadlineAt: Date.now() + afterMs } }
        assert.equal((await store.storeIntent(overdueJob, intentOf(overdueJob), identical)).kind, kind)
      }
    })

    it('waits for the grace time of another server, also if a cancel is requested', async () => {
      const job = await claim(await accept())
      await store.requestCancel(job.view.id)
      await redis.hset(keys.epoch, { server: 'another', since: '0' })
      const intent = await store.storeIntent(job, intentOf(job), identical)
      assert.ok(intent.kind === 'paused')
      isClose(intent.ms, 60_000)
      isClose(await store.purchasesPausedMs(), 60_000)
      await redis.hset(keys.epoch, 'since', '0')
      assert.equal(await store.purchasesPausedMs(), 0)
      assert.equal(
        await store.readStatus(job.view.id).then((createCandidates) => createCandidates?.view.state),
        'pending',
      )
    })

    it('is read as the same one while its attempt is sent again', async () => {
      const job = await claim(await accept())
      await store.storeIntent(job, intentOf(job), identical)
      const claimed = { ...job, work: { ...job.work, attempt } }
      const again = { ...attempt, again: true as const }
      assert.ok(await store.write(claimed, createTransition(claimed, { work: { attempt: again }, now: 1 })))
      assert.equal(await redis.hget(keys.job(job.view.id), 'attempt'), 'attempt-1 again')
      assert.equal(
        await store.writeReply(claimed, createTransition(claimed, { view: { state: 'pending' }, now: 1 })),
        false,
      )
    })
  })

  describe('of the current server', () => {
    const observe = (changed?: boolean, connection = redis) =>
      observeRedisServer({ redis: connection, keys: createKeys('epoch:'), graceMs: 60_000 }, changed)
    const epoch = createKeys('epoch:').epoch
    const serverName = () => serverOf(redis)

    it('records the first server without a pause', async () => {
      await redis.del(epoch)
      assert.deepEqual(await observe(), { pausedMs: 0, server: await serverName() })
      assert.deepEqual(await redis.hgetall(epoch), { server: await serverName(), since: '0' })
    })

    it('pauses from the moment another server is seen', async () => {
      await redis.hset(epoch, { server: 'another', since: '5' })
      isClose((await observe()).pausedMs, 60_000)
      const { since, server } = await redis.hgetall(epoch)
      assert.equal(server, await serverName())
      assert.ok(Math.abs(Number(since) - Date.now()) < 5000)
      await redis.hset(epoch, 'since', Date.now() - 30_000)
      isClose((await observe()).pausedMs, 30_000)
      await redis.hset(epoch, 'since', Date.now() - 61_000)
      assert.equal((await observe()).pausedMs, 0)
    })

    it('does not pause for a known server', async () => {
      await redis.hset(epoch, { server: await serverName(), since: '0' })
      assert.equal((await observe(true)).pausedMs, 0)
      assert.equal((await redis.hgetall(epoch)).since, '0')
    })

    it('pauses if the data is empty and the caller knew another server', async () => {
      await redis.del(epoch)
      isClose((await observe(true)).pausedMs, 60_000)
    })

    it('takes an orderly shutdown into account once', async () => {
      await redis.hset(epoch, { server: 'another', since: '0' })
      await markCleanShutdown(redis, createKeys('epoch:'))
      assert.equal((await redis.hgetall(epoch)).clean, '1')
      assert.equal((await observe()).pausedMs, 0)
      assert.equal((await redis.hgetall(epoch)).clean, undefined)
    })

    it('does not pause for a server that hides its run ID', async () => {
      await redis.call('ACL', 'SETUSER', 'secretive', 'on', 'nopass', '~*', '&*', '+@all', '-info')
      const secretive = new Redis(url, { username: 'secretive', password: 'any', enableReadyCheck: false })
      cleanup.add(() => secretive.disconnect())
      await redis.hset(epoch, { server: 'another', since: '0' })
      assert.deepEqual(await observe(false, secretive), { pausedMs: 0, server: '' })
      assert.equal((await redis.hgetall(epoch)).server, 'another')
    })
  })

  describe('of new jobs', () => {
    const queued = (queue: string, id: string) => redis.exists(`${keys.queuePrefix(queue)}${id}`)

    it('writes the whole record', async () => {
      const given = createRecord({ warnings: ['careful'] })
      assert.deepEqual(await store.create(given), { kind: 'accepted' })
      const { id, createdAt } = given.view
      const { view, work, input, ...rest } = await redis.hgetall(keys.job(id))
      assert.deepEqual(rest, {
        owner: 'ann',
        state: 'pending',
        version: '1',
        fence: '0',
        hint: 'secret',
        reserved: '1000000',
        paid: '0',
      })
      const { version: _, ...stored } = given.view
      assert.deepEqual(JSON.parse(view ?? ''), stored)
      assert.deepEqual(JSON.parse(work ?? ''), given.work)
      assert.deepEqual(JSON.parse(input ?? ''), given.input)
      assert.equal(await redis.zscore(keys.open, id), '5000')
      assert.equal(await redis.zscore(keys.ownerJobs('ann'), id), String(createdAt))
      assert.deepEqual(await store.readHistory(id), [{ at: createdAt, state: 'pending', progress: 0 }])
      assert.equal(await queued('runware', id), 1)
    })

    it('executed twice, makes one job', async () => {
      await redis.hset(keys.account('twice'), 'balance', '2500000')
      const given = createRecord({ owner: 'twice' })
      assert.deepEqual(await store.create(given), { kind: 'accepted', remainingUsd: 1.5 })
      await claim(given.view.id)
      assert.deepEqual(await store.create(given), { kind: 'accepted', remainingUsd: 1.5 })
      assert.equal((await store.readHistory(given.view.id)).length, 1)
      assert.equal(await redis.hget(keys.job(given.view.id), 'fence'), '1')
      assert.equal(await redis.hget(keys.account('twice'), 'reserved'), '1000000')
    })

    it('expires the index of an owner with its records', async () => {
      const id = await accept({ owner: 'index' })
      isClose(await redis.pttl(keys.ownerJobs('index')), keepMs)
      await redis.zadd(
        keys.ownerJobs('index'),
        Date.now() - keepMs - 1000,
        'old',
        Date.now() - keepMs + 60_000,
        'young',
      )
      const other = await accept({ owner: 'index' })
      assert.deepEqual(await redis.zrange(keys.ownerJobs('index'), 0, '-1'), ['young', id, other])
    })

    it('that arrive together each have their own record', async () => {
      const records = [1, 2, 3].map((n) =>
        createRecord({ owner: `owner ${n}`, callbackSecret: `hint ${n}`, dueAt: n }),
      )
      await Promise.all(records.map((one) => store.create(one)))
      for (const { view, owner, input, callbackSecret: secret, dueAt } of records) {
        const read = await store.read(view.id)
        assert.deepEqual([read?.owner, read?.input, read?.callbackSecret], [owner, input, secret])
        assert.equal(await redis.zscore(keys.open, view.id), String(dueAt))
        assert.deepEqual(await redis.zrange(keys.ownerJobs(owner), 0, '-1'), [view.id])
        assert.equal((await store.readHistory(view.id)).length, 1)
        assert.equal(await queued('runware', view.id), 1)
        assert.equal(await redis.hget(keys.account(owner), 'reserved'), '1000000')
      }
    })

    it('that arrive together are written independently', async () => {
      await redis.set(keys.ownerJobs('broken'), 'not an index')
      const results = await Promise.allSettled([
        store.create(createRecord({ owner: 'broken' })),
        store.create(createRecord({ owner: 'whole' })),
        store.create(createRecord({ owner: 'other' })),
      ])
      assert.deepEqual(
        results.map(({ status }) => status),
        ['rejected', 'fulfilled', 'fulfilled'],
      )
      assert.ok(results[0]?.status === 'rejected')
      assert.match(String(results[0].reason), /WRONGTYPE/)
      assert.equal((results[0].reason as Error).name, 'ReplyError')
    })

    it('is rejected after its client received a timeout', async () => {
      const created = Date.now()
      for (const [lateMs, isLate] of [
        [60_000, true],
        [0, false],
      ] as const) {
        const now = () => created - lateMs
        const overdueJob = createJobStore({ redis, keys, keepMs, now })
        const records = [createRecord(), createRecord(), createRecord()]
        const results = await Promise.allSettled(records.map((one) => overdueJob.create(one)))
        for (const result of results) {
          assert.equal(result.status, isLate ? 'rejected' : 'fulfilled')
          if (result.status === 'rejected') assert.match(String(result.reason), /TIMEOUT/)
        }
        for (const { view } of records) assert.equal(await redis.exists(keys.job(view.id)), isLate ? 0 : 1)
      }
    })

    it('has the webhook of the request, or the default one of its owner', async () => {
      const webhookOf = async (owner: string, webhook?: NewJobRecord['webhook']) => {
        const id = await accept({ owner, ...(webhook && { webhook }) })
        assert.deepEqual((await store.read(id))?.webhook, (await claim(id)).webhook)
        return redis.hmget(keys.job(id), 'webhook', 'address')
      }
      await redis.hset(keys.account('usual'), 'webhook', 'https://example.com/usual')
      const address = 'https://gateway.example'
      const own = { url: 'https://example.com/own', baseUrl: address }
      assert.deepEqual(await webhookOf('usual', own), [own.url, address])
      assert.deepEqual((await store.read(await accept({ webhook: own })))?.webhook, own)
      assert.deepEqual(await webhookOf('usual', { baseUrl: address }), ['https://example.com/usual', address])
      assert.deepEqual(await webhookOf('usual'), ['https://example.com/usual', ''])
      assert.deepEqual(await webhookOf('ann', { baseUrl: address }), [null, null])
    })

    it('gives the first reply to an idempotency key again, with its warnings', async () => {
      const idempotencyKey = { key: 'again', fingerprint: 'same' }
      const given = createRecord({ idempotencyKey, warnings: ['careful'] })
      await store.create(given)
      isClose(await redis.pttl(keys.idempotencyKey('ann', 'again')), 86_400_000)
      const replay = await store.create(createRecord({ idempotencyKey }))
      assert.ok(replay.kind === 'replayed')
      assert.deepEqual([replay.view.id, replay.warnings], [given.view.id, ['careful']])
      assert.deepEqual(
        await store.create(createRecord({ idempotencyKey: { ...idempotencyKey, fingerprint: 'other' } })),
        {
          kind: 'reused',
        },
      )
      const first = await store.findReplay('ann', idempotencyKey)
      assert.ok(first?.kind === 'replayed')
      assert.deepEqual([first.view.id, first.warnings], [given.view.id, ['careful']])
    })
  })

  it('of a new job returns the remaining balance, and a replay the same', async () => {
    await redis.hset(keys.account('limited'), 'balance', '2500000')
    const idempotencyKey = { key: 'left', fingerprint: 'same' }
    const limited = (more: Partial<NewJobRecord> = {}) =>
      store.create(createRecord({ owner: 'limited', ...more }))
    assert.deepEqual(await limited({ idempotencyKey }), { kind: 'accepted', remainingUsd: 1.5 })
    assert.deepEqual(await limited(), { kind: 'accepted', remainingUsd: 0.5 })
    const replay = await limited({ idempotencyKey })
    assert.ok(replay.kind === 'replayed')
    assert.equal(replay.remainingUsd, 1.5)
    const first = await store.findReplay('limited', idempotencyKey)
    assert.ok(first?.kind === 'replayed')
    assert.equal(first.remainingUsd, 1.5)
    assert.deepEqual(await limited(), { kind: 'balance', remainingUsd: 0.5 })
  })

  describe('of a step', () => {
    /** A store each of whose transitions is executed twice, as after a lost reply. */
    const createTwice = (between: () => Promise<unknown> = async () => undefined) => {
      const twice = new Proxy(redis, {
        get(target, name) {
          const value = Reflect.get(target, name)
          if (name !== 'reelgateTransition') return typeof value === 'function' ? value.bind(target) : value
          return async (...args: unknown[]) => {
            await value.apply(target, args)
            await between()
            return value.apply(target, args)
          }
        },
      })
      return createJobStore({ redis: twice, keys, keepMs })
    }

    it('executed twice, writes once', async () => {
      const job = await claim(await accept())
      const next = createTransition(job, { view: { state: 'queued' }, now: Date.now() })
      assert.equal(await createTwice().write(job, next), true)
      assert.equal((await store.readHistory(job.view.id)).length, 2)
      assert.equal((await store.readStatus(job.view.id))?.view.version, 2)
    })

    it('executed twice, succeeds even if the job has ended or progressed', async () => {
      const job = await claim(await accept())
      const end = createFailedTransition(job, { code: 'upstream_error', message: '' }, Date.now())
      assert.equal(await createTwice().write(job, end), true)
      const other = await claim(await accept())
      const next = createTransition(other, { view: { state: 'queued' }, now: Date.now() })
      assert.equal(await createTwice(() => claim(other.view.id)).write(other, next), true)
    })

    it('without a visible change does not change the version, the history and the channel', async () => {
      const job = await claim(await accept())
      const messages = await listen(job.view.id)
      assert.equal(await store.write(job, createTransition(job, { work: { polls: 3 }, now: 1 })), true)
      assert.equal((await store.readStatus(job.view.id))?.view.version, 1)
      assert.equal((await store.read(job.view.id))?.work.polls, 3)
      assert.equal(await store.write(job, createTransition(job, { reason: 'seen', now: 1 })), true)
      while (messages.length === 0) await new Promise(setImmediate)
      assert.match(messages[0] ?? '', /^2 /)
    })

    it('raises the fence if a reply counts or if it takes over, and not otherwise', async () => {
      const fence = async (id: string) => Number(await redis.hget(keys.job(id), 'fence'))
      const job = await claim(await accept())
      const submitting = intentOf(job)
      await store.storeIntent(job, submitting, identical)
      assert.equal(await fence(job.view.id), 1)
      const claimed = { ...job, view: submitting.view, work: submitting.work }
      assert.ok(
        await store.writeReply(claimed, createTransition(claimed, { view: { state: 'queued' }, now: 1 })),
      )
      assert.equal(await fence(job.view.id), 2)
      const next = await claim(job.view.id)
      assert.ok(await store.write(next, createTransition(next, { now: 1 })))
      assert.equal(await fence(job.view.id), 3)
      assert.ok(await store.takeOver(next, createTransition(next, { now: 1 })))
      assert.equal(await fence(job.view.id), 4)
      assert.equal(await store.write(next, createTransition(next, { now: 1 })), false)
      assert.equal(await store.takeOver(next, createTransition(next, { now: 1 })), false)
    })

    it('queues the next step once, if requested', async () => {
      const job = await claim(await accept())
      const entry = `${keys.queuePrefix('delivery')}${job.view.id}`
      await store.write(job, createTransition(job, { now: 1 }))
      assert.equal(await redis.exists(entry), 0)
      await store.write(job, { ...createTransition(job, { now: 1 }), queue: 'delivery' })
      assert.equal(await redis.exists(entry), 1)
      const waiting = await redis.llen(`${keys.queuePrefix('delivery')}wait`)
      await store.write(job, { ...createTransition(job, { now: 1 }), queue: 'delivery' })
      assert.equal(await redis.llen(`${keys.queuePrefix('delivery')}wait`), waiting)
    })

    it('at the end of a job with a webhook keeps the record until it is delivered', async () => {
      const now = Date.now()
      const id = await ended({ webhook: { url: 'https://example.com/hook', baseUrl: '' } })
      assert.equal(await redis.pttl(keys.job(id)), -1)
      assert.equal(await redis.pttl(keys.history(id)), -1)
      const score = Number(await redis.zscore(keys.webhooks, id))
      assert.ok(score >= now + 5000 && score < now + 10_000, String(score))
    })

    it('ignores an earlier wake', async () => {
      const id = await accept()
      await store.requestStep(id)
      assert.equal(await store.isStepRequested(id), true)
      await claim(id)
      assert.equal(await store.isStepRequested(id), false)
      await store.requestStep(id)
      assert.equal(await store.isStepRequested(id), true)
    })
  })

  describe('of a cancel', () => {
    it('records the requester', async () => {
      const id = await accept()
      assert.equal(await store.requestCancel(id, 'withdrawn'), 'asked')
      const job = await claim(id)
      assert.deepEqual([job.cancelRequested, job.withdrawn], [true, true])
      const other = await accept()
      await store.requestCancel(other)
      assert.equal(await redis.hget(keys.job(other), 'cancel'), 'client')
      assert.equal((await claim(other)).withdrawn, undefined)
      assert.equal((await store.read(other))?.withdrawn, undefined)
    })

    it('of a withdrawn job charges nothing, even if it was running', async () => {
      const job = await claim(await accept({ owner: 'withdrawer' }))
      await store.requestCancel(job.view.id, 'withdrawn')
      const claimed = { ...job, withdrawn: true as const, work: { ...job.work, takenAt: 1 } }
      await store.write(
        claimed,
        createFailedTransition(claimed, { code: 'canceled', message: '' }, Date.now()),
      )
      const account = await redis.hgetall(keys.account('withdrawer'))
      assert.deepEqual([account.reserved, account.spent ?? '0'], ['0', '0'])
      const movements = await redis.xrange(keys.ledger('withdrawer'), '-', '+')
      assert.deepEqual(
        movements.map(([, fields]) => fields[fields.indexOf('kind') + 1]),
        ['reserve', 'release'],
      )
    })
  })

  describe('of a deletion', () => {
    it('keeps the data for a pending webhook', async () => {
      const id = await ended({
        webhook: { url: 'https://example.com/hook', baseUrl: 'https://gateway.example' },
      })
      assert.equal(await store.remove(id), true)
      const { view, ...remaining } = await redis.hgetall(keys.deletedJob(id))
      assert.deepEqual(remaining, {
        owner: 'ann',
        version: '2',
        webhook: 'https://example.com/hook',
        address: 'https://gateway.example',
      })
      assert.equal(JSON.parse(view ?? '').state, 'failed')
      assert.equal(await redis.exists(keys.job(id)), 0)
    })

    it('removes everything of a job without a webhook, including the notes', async () => {
      const id = await ended()
      await store.addNote(id, { at: 1, kind: 'late_result' })
      assert.equal(await store.remove(id), true)
      assert.equal(await redis.exists(keys.deletedJob(id), keys.notes(id), keys.history(id)), 0)
    })
  })

  describe('of a note', () => {
    for (const state of ['succeeded', 'failed', 'canceled', 'delivering']) {
      it(`is ${state === 'delivering' ? 'not ' : ''}for a job that is ${state}`, async () => {
        const id = await accept()
        await redis.hset(keys.job(id), 'state', state)
        await store.addNote(id, { at: 1, kind: 'late_result' })
        assert.equal((await store.readNotes(id)).length, state === 'delivering' ? 0 : 1)
      })
    }

    it('is for jobs that have ended, once per kind, and expires with the ledger', async () => {
      const going = await accept()
      await store.addNote(going, { at: 1, kind: 'late_result' })
      assert.deepEqual(await store.readNotes(going), [])
      const id = await ended()
      await store.addNote(id, { at: 2, kind: 'late_result', text: 'first' })
      await store.addNote(id, { at: 3, kind: 'late_result', text: 'second' })
      await store.addNote(id, { at: 1, kind: 'late_reply' })
      assert.deepEqual(
        (await store.readNotes(id)).map(({ kind, text }) => [kind, text]),
        [
          ['late_reply', undefined],
          ['late_result', 'first'],
        ],
      )
      isClose(await redis.pttl(keys.notes(id)), ledgerRetentionMs)
    })
  })

  describe('of the claim of a task', () => {
    const ticket = (task: string) => ({ taskUUID: task })

    it('is for one job, for the given time', async () => {
      const claims = createJobStore({ redis, keys, keepMs, claimMs: 50_000 })
      const claimFor = (job: string) => claims.claimTask(runware, ticket('one'), { job, fingerprint: 'f' })
      assert.equal(await claimFor('a'), true)
      isClose(await redis.pttl(keys.task('runware', 'one')), 50_000)
      assert.equal(await claimFor('b'), false)
      assert.equal(await claimFor('a'), true)
      assert.equal(await store.claimTask(runware, ticket('two'), { job: 'a', fingerprint: 'f' }), true)
      isClose(await redis.pttl(keys.task('runware', 'two')), 86_400_000)
    })

    it('removes the job from those with an awaited reply', async () => {
      const awaited = keys.identicalRequests('runware', 'awaited')
      await redis.zadd(awaited, 1, 'a', 1, 'b', 1, 'c')
      await store.claimTask(runware, ticket('three'), { job: 'a', fingerprint: 'awaited' })
      await store.clearReplyAwaited('runware', { job: 'b', fingerprint: 'awaited' })
      assert.deepEqual(await redis.zrange(awaited, 0, '-1'), ['c'])
    })

    describe('among identical candidates', () => {
      const createCandidates = (...tasks: string[]) => ({
        kind: 'candidates' as const,
        same: true,
        tasks: tasks.map((task) => ({
          ticket: ticket(task),
          outcome: { kind: 'running' as const, ticket: ticket(task), stage: 'queued' as const },
        })),
      })
      const choose = async (fingerprint: string, job: string, awaitedSince: number, ...tasks: string[]) => {
        const choice = { job, fingerprint, awaitedSince, hasRestored: () => true }
        const chosen = await store.claimCandidate(runware, createCandidates(...tasks), choice)
        return typeof chosen === 'object' && chosen.kind === 'running' ? chosen.ticket.taskUUID : chosen
      }

      /** A store with one intercepted Redis command. */
      const intercepted = (command: 'mget' | 'eval', replyOf: (reply: unknown) => Promise<unknown>) =>
        createJobStore({
          redis: new Proxy(redis, {
            get(target, name) {
              const value = Reflect.get(target, name)
              if (name !== command) return typeof value === 'function' ? value.bind(target) : value
              return async (...args: unknown[]) => replyOf(await value.apply(target, args))
            },
          }),
          keys,
          keepMs,
          graceMs: 60_000,
        })

      it('waits for the replies to identical requests that may still come', async () => {
        await redis.zadd(keys.identicalRequests('runware', 'w1'), 100, 'other', 5, 'own')
        assert.equal(await choose('w1', 'own', 100, 't1'), 'awaited')
        assert.equal(await choose('w1', 'own', 101, 't1'), 't1')
      })

      it('does not wait for its own reply', async () => {
        await redis.zadd(keys.identicalRequests('runware', 'w2'), 100, 'own')
        assert.equal(await choose('w2', 'own', 0, 't2'), 't2')
      })

      it('finds its own task while another reply is awaited', async () => {
        await redis.zadd(keys.identicalRequests('runware', 'w3'), 100, 'other')
        await redis.set(keys.task('runware', 't3'), 'own')
        assert.equal(await choose('w3', 'own', 0, 'x3', 't3'), 't3')
      })

      it('accepts claims of the previous version, by the whole ticket', async () => {
        await redis.set(keys.task('runware', JSON.stringify(ticket('t4'))), 'own')
        await redis.set(keys.task('runware', JSON.stringify(ticket('x4'))), 'other')
        assert.equal(await choose('w4', 'own', 0, 'x4', 't4'), 't4')
        assert.equal(await choose('w4', 'third', 0, 'x4', 't4'), undefined)
      })

      it('claims none while the claim of another job may still be restored after another server took over', async () => {
        await redis.set(keys.task('runware', 't7'), 'own')
        await redis.hset(keys.epoch, { server: 'another', since: '0' })
        assert.equal(await choose('w7', 'own', 0, 'x7'), 'awaited')
        assert.equal(await choose('w7', 'own', 0, 'x7', 't7'), 't7')
        await redis.hset(keys.epoch, 'since', '0')
        const choice = { job: 'own', fingerprint: 'w7', awaitedSince: 0 }
        const hasRestored = (server: string) => {
          assert.match(server, /^\w+:\w+$/)
          return false
        }
        assert.equal(
          await store.claimCandidate(runware, createCandidates('x7'), { ...choice, hasRestored }),
          'awaited',
        )
        assert.equal(await redis.get(keys.task('runware', 'x7')), null)
        assert.equal(await choose('w7', 'own', 0, 'x7'), 'x7')
      })

      it('claims none if another server takes over after the owners were read', async () => {
        const choice = { job: 'own', fingerprint: 'w8', awaitedSince: 0, hasRestored: () => true }
        const failedOver = intercepted('mget', async (owners) => {
          await redis.hset(keys.epoch, { server: 'another', since: '0' })
          return owners
        })
        assert.equal(await failedOver.claimCandidate(runware, createCandidates('t8'), choice), 'awaited')
        await redis.hset(keys.epoch, 'since', '0')
        const seenBefore = intercepted('eval', async () => ['0', 'the one that died'])
        assert.equal(await seenBefore.claimCandidate(runware, createCandidates('t8'), choice), 'awaited')
        assert.equal(await redis.get(keys.task('runware', 't8')), null)
      })

      it('claims the next one if another job was faster', async () => {
        const claims = intercepted('mget', async (owners) => {
          await redis.set(keys.task('runware', 't5'), 'faster')
          return owners
        })
        const choice = { job: 'own', fingerprint: 'w5', awaitedSince: 0, hasRestored: () => true }
        const chosen = await claims.claimCandidate(runware, createCandidates('t5', 't6'), choice)
        assert.ok(typeof chosen === 'object' && chosen.kind === 'running')
        assert.deepEqual(chosen.ticket, ticket('t6'))
      })
    })
  })
})
