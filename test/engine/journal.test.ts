import assert from 'node:assert/strict'
import { appendFile, mkdir, readdir, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { createJournal } from '../../src/engine/journal.ts'
import { createCleanup, quiet, temporaryFolder } from '../setup.ts'

const hourMs = 3_600_000
const reply = { kind: 'running', ticket: { id: 'task' }, stage: 'queued' } as const

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
    assert.deepEqual(await next.find('a'), entry('a', (await journal.find('a'))?.attempt.at))
    assert.deepEqual((await next.find('b'))?.reply, reply)
    assert.equal(await next.find('c'), undefined)
  })

  it('finds what a process that still runs has written since', async () => {
    const { journal, folder } = await open()
    const { journal: other } = await open(folder)
    await journal.begin(entry('later'))
    await journal.keepReply('later', reply)
    await other.load()
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
      next.all().map(({ attempt }) => attempt.id),
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
    assert.deepEqual(next.all(), [])
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
      next.all().map(({ attempt }) => attempt.id),
      ['b'],
    )
  })

  it('lists the newest attempt first', async () => {
    const { journal, folder } = await open()
    await journal.begin(entry('second', Date.now() - 1000))
    const { journal: other } = await open(folder)
    await other.begin(entry('first', Date.now() - 2000))
    const { journal: next } = await open(folder)
    assert.deepEqual(
      next.all().map(({ attempt }) => attempt.id),
      ['second', 'first'],
    )
  })
})
