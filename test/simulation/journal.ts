import { createJournal, type Journal } from '../../src/jobs/journal/journal.ts'
import { quiet } from '../support/setup.ts'
import { settings } from './settings.ts'
import { cutPower, loseFolder, tearLines } from './virtual-disk.ts'
import type { Actor, World } from './world.ts'

export type SimulatedJournal = Journal & { open(): Promise<void> }

/** The real journal on the virtual disk; each use of it is one call that the scheduler orders. `dir`: the worker's, perhaps shared. */
export function createSimulatedJournal(world: World, actor: Actor, dir: string): SimulatedJournal {
  let opened: Journal | undefined
  const call = <T>(label: string, run: () => Promise<T> | T): Promise<T> =>
    world.call(actor, { type: 'journal', label: `journal ${label}` }, async () => run())
  function journal(): Journal {
    if (opened === undefined) throw new Error('the journal is not open')
    return opened
  }

  world.onDeath((dead, { disk }) => {
    if (dead !== actor) return
    if (disk === 'torn') tearLines(actor)
    if (disk === 'powerCut') cutPower(actor)
    if (disk === 'lost') loseFolder(dir)
  })

  return {
    open: () =>
      call('open', async () => {
        opened = await createJournal({ dir, keepMs: settings.journalMs, logger: quiet, now: world.trueNow })
      }),
    begin: (entry) => call(`begin ${entry.job}`, () => journal().begin(entry)),
    storeReply: (id, reply) => call('reply', () => journal().storeReply(id, reply)),
    discardReply: (id) => call('discard reply', () => journal().discardReply(id)),
    discard: (id) => call('discard', () => journal().discard(id)),
    markStored: (id) => journal().markStored(id),
    hasDiscarded: (id) => journal().hasDiscarded(id),
    hasMade: (id) => journal().hasMade(id),
    // It may wait before it reads, so it is no single call.
    find: async (id) => {
      await call('find', () => undefined)
      return journal().find(id)
    },
    async *listMadeElsewhere(server) {
      await call('made elsewhere', () => undefined)
      yield* journal().listMadeElsewhere(server)
    },
    close: async () => opened?.close(),
  }
}
