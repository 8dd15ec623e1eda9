import assert from 'node:assert/strict'
import { appendFile, mkdir, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { createJournal, type Journal, type JournalEntry } from '../../src/engine/journal.ts'
import { createCleanup, quiet, temporaryFolder } from '../setup.ts'

const hourMs = 3_600_000
const reply = { kind: 'running', ticket: { id: 'task' }, stage: 'queued' } as const

/** All that were made on another server. */
async function attemptsOf(journal: Journal, server = ''): Promise<JournalEntry[]> {
  const found: JournalEntry[] = []
  for await (const entries of journal.madeElsewhere(server)) found.push(...entries)
  return found
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
    await journal.keepReply('b', reply)
    await journal.discard('c')
    const { journal: next } = await open(folder)
    assert.deepEqual(await next.find('a'), await journal.find('a'))
    assert.deepEqual((await next.find('b'))?.reply, reply)
    assert.equal(await next.find('c'), undefined)
  })

  it('finds what a process that still runs has written since', async () => {
    const { journal, folder } = await open()
    const { journal: other } = await open(folder)
    await journal.begin(entry('later'))
    await journal.keepReply('later', reply)
    assert.deepEqual((await other.find('later'))?.reply, reply)
  })

  it('takes a reply that another process found', async () => {
    const { journal, folder } = await open()
    const { journal: other } = await open(folder)
    await journal.begin(entry('a'))
    await other.keepReply('a', reply)
    const { journal: next } = await open(folder)
    assert.deepEqual((await next.find('a'))?.reply, reply)
  })

  it('survives half a line at the end of a file', async () => {
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

  it('forgets attempts when their time is over, and removes files that nobody writes to', async () => {
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

  it('rejects an attempt that does not get to the disk, and goes on when it can write again', async () => {
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

  it('looks for many lost replies in one pass over the files', async () => {
    const { journal, folder } = await open()
    for (const id of ['a', 'b', 'c']) {
      await journal.begin(entry(id))
      await journal.keepReply(id, reply)
    }
    const { journal: other } = await open(folder)
    const found = await Promise.all(['a', 'b', 'c', 'unknown'].map((id) => other.find(id)))
    assert.deepEqual(
      found.map((one) => one?.reply?.kind),
      ['running', 'running', 'running', undefined],
    )
  })

  it('keeps on disk what Redis has, and in memory only what it has not', async () => {
    const { journal, folder } = await open()
    await journal.begin(entry('a'))
    await journal.keepReply('a', reply)
    journal.settle('a')
    await rm(join(folder, (await readdir(folder))[0] ?? ''))
    assert.equal(await journal.find('a'), undefined)
    await journal.begin(entry('b'))
    assert.equal((await journal.find('b'))?.job, 'job of b')
  })

  it('tells attempts that were made on another server', async () => {
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

  it('is read although its folder holds what is no journal', async () => {
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

  it('keeps replies whole, whatever characters they have', async () => {
    const { journal, folder } = await open()
    const odd = { ...reply, ticket: { id: 'a\u2028b\u2029c\rd' } } as const
    await journal.begin(entry('a'))
    await journal.keepReply('a', odd)
    const { journal: next } = await open(folder)
    assert.deepEqual((await next.find('a'))?.reply, odd)
  })

  it('knows the attempts of this machine from before, but not what came to nothing', async () => {
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

  it('keeps its files when the clock of the machine alone is far ahead', async () => {
    const { journal, folder } = await open()
    await journal.begin(entry('a'))
    const [file = ''] = await readdir(folder)
    const past = new Date(Date.now() - 26 * hourMs)
    await utimes(join(folder, file), past, past)
    await open(folder, () => past.getTime())
    assert.deepEqual(await readdir(folder), [file])
  })
})
