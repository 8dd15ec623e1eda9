import assert from 'node:assert/strict'
import {
  appendFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, it, mock } from 'node:test'
import { createJournal, type Journal } from '../../../src/jobs/journal/journal.ts'
import type { JournalEntry } from '../../../src/jobs/journal/journal-files.ts'
import { createCleanup, quiet, temporaryFolder } from '../../support/setup.ts'

const hourMs = 3_600_000
const reply = { kind: 'running', ticket: { id: 'task' }, stage: 'queued' } as const

async function entryOf(journal: Journal, id: string): Promise<JournalEntry | undefined> {
  const entry = await journal.find(id)
  return entry === 'discarded' ? assert.fail() : entry
}

/** All that were made on another server. */
async function attemptsOf(journal: Journal, server = ''): Promise<JournalEntry[]> {
  const entry: JournalEntry[] = []
  for await (const entries of journal.listMadeElsewhere(server)) entry.push(...entries)
  return entry
}

describe('the journal of attempts', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  const open = async (dir?: string, now: () => number = Date.now) => {
    const folder = dir ?? join(await temporaryFolder(cleanup), 'journal')
    const journal = await createJournal({ dir: folder, keepMs: 24 * hourMs, logger: quiet, now })
    cleanup.add(() => journal.close())
    return { journal, folder }
  }
  const entry = (id: string, at = Date.now()) => ({
    job: `job of ${id}`,
    attempt: { id, provider: 'fal' as const, at },
    number: 1,
    handed: {},
    server: 'first',
  })

  it('is read by the next process, with the replies', async () => {
    const { journal, folder } = await open()
    await Promise.all([journal.begin(entry('a')), journal.begin(entry('b')), journal.begin(entry('c'))])
    await journal.storeReply('b', reply)
    await journal.discard('c')
    const { journal: next } = await open(folder)
    assert.deepEqual(await next.find('a'), await journal.find('a'))
    assert.deepEqual((await entryOf(next, 'b'))?.reply, reply)
    assert.equal(await next.find('c'), 'discarded')
  })

  it('finds what a running process has written since', async () => {
    const { journal, folder } = await open()
    const { journal: other } = await open(folder)
    await journal.begin(entry('later'))
    await journal.storeReply('later', reply)
    assert.deepEqual((await entryOf(other, 'later'))?.reply, reply)
  })

  it('accepts a reply that another process found', async () => {
    const { journal, folder } = await open()
    const { journal: other } = await open(folder)
    await journal.begin(entry('a'))
    await other.storeReply('a', reply)
    const { journal: next } = await open(folder)
    assert.deepEqual((await entryOf(next, 'a'))?.reply, reply)
  })

  it('ignores an incomplete line at the end of a file', async () => {
    const { journal, folder } = await open()
    await journal.begin(entry('whole'))
    const [file = ''] = await readdir(folder)
    await appendFile(join(folder, file), '{"begin":{"job":"x","attem')
    const { journal: next } = await open(folder)
    assert.deepEqual(
      (await attemptsOf(next)).map(({ attempt }) => attempt.id),
      ['whole'],
    )
  })

  it('drops expired attempts, and removes files that are no longer written', async () => {
    let now = Date.now()
    const { journal, folder } = await open(undefined, () => now)
    await journal.begin(entry('old'))
    const [file = ''] = await readdir(folder)
    now += 25 * hourMs
    const { journal: next } = await open(folder, () => now)
    assert.deepEqual(await attemptsOf(next), [])
    assert.deepEqual(await readdir(folder), [file])
    const past = new Date(Date.now() - 26 * hourMs)
    await utimes(join(folder, file), past, past)
    await open(folder, () => now)
    assert.deepEqual(await readdir(folder), [])
  })

  it('rejects an attempt that cannot be written to disk, and continues when it can write again', async () => {
    const { journal, folder } = await open()
    await rm(folder, { recursive: true })
    await assert.rejects(journal.begin(entry('a')))
    await mkdir(folder)
    await journal.begin(entry('b'))
    const { journal: next } = await open(folder)
    assert.deepEqual(
      (await attemptsOf(next)).map(({ attempt }) => attempt.id),
      ['b'],
    )
  })

  it('searches for many lost replies in one pass over the files', async () => {
    const { journal, folder } = await open()
    for (const id of ['a', 'b', 'c']) {
      await journal.begin(entry(id))
      await journal.storeReply(id, reply)
    }
    const { journal: other } = await open(folder)
    const entries = await Promise.all(['a', 'b', 'c', 'unknown'].map((id) => other.find(id)))
    assert.deepEqual(
      entries.map((one) => (one === 'discarded' ? one : one?.reply?.kind)),
      ['running', 'running', 'running', undefined],
    )
  })

  it('keeps in memory only what Redis does not have; the rest is on disk', async () => {
    const { journal, folder } = await open()
    await journal.begin(entry('a'))
    await journal.storeReply('a', reply)
    journal.markStored('a')
    await rm(join(folder, (await readdir(folder))[0] ?? ''))
    assert.equal(await journal.find('a'), undefined)
    await journal.begin(entry('b'))
    assert.equal((await entryOf(journal, 'b'))?.job, 'job of b')
  })

  it('identifies attempts that were made on another server', async () => {
    const { journal } = await open()
    await journal.begin({ ...entry('here'), server: 'second' })
    await journal.begin(entry('there'))
    assert.deepEqual(
      (await attemptsOf(journal, 'second')).map(({ attempt }) => attempt.id),
      ['there'],
    )
  })

  it('lists the newest attempts of the newest file first', async () => {
    const { journal, folder } = await open()
    await journal.begin(entry('first'))
    const [file = ''] = await readdir(folder)
    const past = new Date(Date.now() - 60_000)
    await utimes(join(folder, file), past, past)
    const { journal: other } = await open(folder)
    await other.begin(entry('second'))
    await other.begin(entry('third'))
    assert.deepEqual(
      (await attemptsOf(other)).map(({ attempt }) => attempt.id),
      ['third', 'second', 'first'],
    )
  })

  const idsIn = async (journal: Journal, server = '') =>
    (await attemptsOf(journal, server)).map(({ attempt }) => attempt.id)

  it('is readable by the gateway’s user only', async () => {
    const { journal, folder } = await open()
    await journal.begin(entry('a'))
    const [file = ''] = await readdir(folder)
    assert.equal((await stat(folder)).mode & 0o777, 0o700)
    assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600)
    assert.match(file, new RegExp(`^${process.pid}-[\\da-f-]{36}\\.jsonl$`))
  })

  it('has an attempt on disk when it resolves', async () => {
    const { journal, folder } = await open()
    const attempt = entry('a')
    await journal.begin(attempt)
    const [file = ''] = await readdir(folder)
    assert.equal(await readFile(join(folder, file), 'utf8'), `${JSON.stringify({ begin: attempt })}\n`)
  })

  it('starts a new file each hour', async () => {
    const { journal, folder } = await open()
    mock.timers.enable({ apis: ['Date'], now: Date.now() })
    try {
      await journal.begin(entry('a'))
      mock.timers.tick(hourMs - 1)
      await journal.begin(entry('b'))
      assert.equal((await readdir(folder)).length, 1)
      mock.timers.tick(1)
      await journal.begin(entry('c'))
      assert.equal((await readdir(folder)).length, 2)
      assert.equal((await idsIn(journal)).length, 3)
    } finally {
      mock.timers.reset()
    }
  })

  it('removes a file one hour after its attempts have expired, not before', async () => {
    const { journal, folder } = await open()
    await journal.begin(entry('a'))
    const [file = ''] = await readdir(folder)
    const writtenAgo = async (ms: number) => {
      const past = new Date(Date.now() - ms)
      await utimes(join(folder, file), past, past)
      await open(folder)
      return (await readdir(folder)).length
    }
    assert.equal(await writtenAgo(25 * hourMs - 60_000), 1)
    assert.equal(await writtenAgo(25 * hourMs + 1000), 0)
  })

  it('drops expired attempts from memory, too, when it starts a file', async () => {
    let now = Date.now()
    const { journal, folder } = await open(undefined, () => now)
    mock.timers.enable({ apis: ['Date'], now })
    try {
      await journal.begin(entry('old', now))
      await journal.begin(entry('young', now + 2))
      now += 24 * hourMs + 1
      mock.timers.tick(hourMs)
      await journal.begin(entry('new', now))
    } finally {
      mock.timers.reset()
    }
    await rm(folder, { recursive: true })
    await mkdir(folder)
    assert.equal(await journal.find('old'), undefined)
    assert.equal((await entryOf(journal, 'young'))?.job, 'job of young')
  })

  it('does not return expired attempts', async () => {
    let now = Date.now()
    const { journal } = await open(undefined, () => now)
    await journal.begin(entry('a', now))
    now += 24 * hourMs
    assert.deepEqual(await idsIn(journal), [])
    now -= 1
    assert.deepEqual(await idsIn(journal), ['a'])
  })

  it('finds a reply in an older file than its attempt', async () => {
    const { journal, folder } = await open()
    await writeFile(join(folder, 'reply.jsonl'), `${JSON.stringify({ reply, id: 'a' })}\n`)
    const past = new Date(Date.now() - 60_000)
    await utimes(join(folder, 'reply.jsonl'), past, past)
    await journal.begin(entry('a'))
    const { journal: other } = await open(folder)
    assert.deepEqual((await entryOf(other, 'a'))?.reply, reply)
  })

  it('reports replies to other attempts only', async () => {
    const { journal, folder } = await open()
    const attempt = entry('a')
    await journal.storeReply('unheard of', reply)
    await journal.begin(attempt)
    await journal.storeReply('another', reply)
    const { journal: other } = await open(folder)
    assert.deepEqual(await Promise.all([other.find('unheard of'), other.find('a')]), [undefined, attempt])
  })

  it('discards a reply with a task of another job, in memory and on disk', async () => {
    const { journal, folder } = await open()
    const attempt = entry('a')
    await journal.begin(attempt)
    await journal.storeReply('a', reply)
    await journal.discardReply('a')
    assert.deepEqual(await journal.find('a'), attempt)
    const { journal: other } = await open(folder)
    assert.deepEqual(await other.find('a'), attempt)
  })

  it('warns about an invalid line, and reads the others', async () => {
    const dir = join(await temporaryFolder(cleanup), 'journal')
    const warned: unknown[] = []
    const logger = { error: () => undefined, warn: (facts: object) => void warned.push(facts) } as never
    const journal = await createJournal({ dir, keepMs: hourMs, logger })
    cleanup.add(() => journal.close())
    const path = join(dir, 'a.jsonl')
    await writeFile(path, `{"begin":{\n${JSON.stringify({ begin: entry('a') })}\nnull\n`)
    assert.deepEqual(await idsIn(journal), ['a'])
    assert.deepEqual(warned, [{ path }])
  })

  it('continues when a reply cannot be written, and keeps it in memory', async () => {
    const { journal, folder } = await open()
    const { journal: away, folder: other } = await open()
    await rm(other, { recursive: true })
    await assert.rejects(away.begin(entry('a')))
    await away.storeReply('a', reply)
    await away.discardReply('none')
    await away.discard('none')
    assert.deepEqual((await entryOf(away, 'a'))?.reply, reply)
    await journal.begin(entry('b'))
    assert.equal((await readdir(folder)).length, 1)
  })

  it('starts a new file after a failed write, since the old one may end with an incomplete line', async () => {
    const { journal, folder } = await open()
    await journal.begin(entry('a'))
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 2 * hourMs })
    try {
      await rename(folder, `${folder} away`)
      await assert.rejects(journal.begin(entry('b')))
      await rename(`${folder} away`, folder)
      await journal.begin(entry('c'))
    } finally {
      mock.timers.reset()
    }
    assert.equal((await readdir(folder)).length, 2)
    assert.deepEqual((await idsIn(journal)).sort(), ['a', 'c'])
  })

  it('reads the files at most every two seconds', async () => {
    const { journal, folder } = await open()
    const { journal: other } = await open(folder)
    assert.equal(await other.find('a'), undefined)
    await journal.begin(entry('a'))
    const began = performance.now()
    assert.equal((await entryOf(other, 'a'))?.job, 'job of a')
    const tookMs = performance.now() - began
    assert.ok(tookMs > 1500, `${tookMs} ms`)
  })

  it('closes after pending writes', async () => {
    const { journal, folder } = await open()
    const attempt = journal.begin(entry('a'))
    await journal.close()
    await attempt
    await journal.close()
    const { journal: other } = await open(folder)
    assert.deepEqual(await idsIn(other), ['a'])
  })

  it('ignores other files in its folder', async () => {
    const { journal, folder } = await open()
    await journal.begin(entry('a'))
    await mkdir(join(folder, 'lost+found'))
    await symlink('/nowhere/journal', join(folder, 'gone.jsonl'))
    await writeFile(
      join(folder, 'other.jsonl'),
      '{"begin":null}\n{"begin":{}}\n[]\n7\n{"version":2}\n{"reply":{"kind":"running"}}\n\0\0\0\n',
    )
    const { journal: next } = await open(folder)
    assert.deepEqual(
      (await attemptsOf(next)).map(({ attempt }) => attempt.id),
      ['a'],
    )
  })

  it('preserves replies with any characters', async () => {
    const { journal, folder } = await open()
    const odd = { ...reply, ticket: { id: 'a\u2028b\u2029c\rd' } } as const
    await journal.begin(entry('a'))
    await journal.storeReply('a', odd)
    const { journal: next } = await open(folder)
    assert.deepEqual((await entryOf(next, 'a'))?.reply, odd)
  })

  it('has the earlier attempts of this machine, except the discarded ones', async () => {
    const { journal, folder } = await open()
    await journal.begin(entry('a'))
    await journal.begin(entry('b'))
    assert.equal(journal.hasMade('a'), true)
    await journal.discard('b')
    assert.equal(journal.hasMade('b'), false)
    const { journal: next } = await open(folder)
    assert.equal(next.hasMade('a'), true)
    assert.equal(next.hasMade('c'), false)
  })

  it('keeps its files when only the clock of the machine is far ahead', async () => {
    const { journal, folder } = await open()
    await journal.begin(entry('a'))
    const [file = ''] = await readdir(folder)
    const past = new Date(Date.now() - 26 * hourMs)
    await utimes(join(folder, file), past, past)
    await open(folder, () => past.getTime())
    assert.deepEqual(await readdir(folder), [file])
  })

  it('forgets expired attempts of this machine', async () => {
    let now = Date.now()
    const { journal, folder } = await open(undefined, () => now)
    await journal.begin(entry('old', now))
    await journal.begin(entry('young', now + 2))
    now += 24 * hourMs + 1
    const { journal: next } = await open(folder, () => now)
    assert.deepEqual([next.hasMade('old'), next.hasMade('young')], [false, true])
    mock.timers.enable({ apis: ['Date'], now: Date.now() + hourMs })
    try {
      await journal.begin(entry('new', now))
    } finally {
      mock.timers.reset()
    }
    assert.deepEqual(
      ['old', 'young', 'new'].map((id) => journal.hasMade(id)),
      [false, true, true],
    )
  })

  it('warns about an unreadable file, and reads the others', async () => {
    const { journal: first, folder } = await open()
    await first.begin(entry('a'))
    const warned: { path: string }[] = []
    const logger = {
      error: () => undefined,
      warn: (facts: { path: string }) => void warned.push(facts),
    } as never
    const journal = await createJournal({ dir: folder, keepMs: hourMs, logger })
    cleanup.add(() => journal.close())
    const entries = journal.listMadeElsewhere('')
    const [file = ''] = await readdir(folder)
    await writeFile(join(folder, 'z.jsonl'), '')
    const past = new Date(Date.now() - 60_000)
    await utimes(join(folder, file), past, past)
    // A folder replaces it after the files were listed.
    await entries.next()
    await rm(join(folder, file))
    await mkdir(join(folder, file))
    await entries.next()
    assert.deepEqual(
      warned.map(({ path }) => path),
      [join(folder, file)],
    )
  })

  it('has the discarded attempts of this process and of others', async () => {
    const { journal, folder } = await open()
    await journal.begin(entry('a'))
    await journal.storeReply('a', reply)
    await journal.discard('a')
    await journal.storeReply('a', reply)
    assert.equal(journal.hasDiscarded('a'), true)
    assert.equal(journal.hasDiscarded('b'), false)
    assert.equal(await journal.find('a'), 'discarded')
    const { journal: other } = await open(folder)
    assert.equal(other.hasDiscarded('a'), false)
    assert.equal(await other.find('a'), 'discarded')
    assert.deepEqual(await idsIn(other), [])
  })
})
