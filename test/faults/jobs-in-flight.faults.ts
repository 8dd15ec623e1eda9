import assert from 'node:assert/strict'
import { it } from 'node:test'
import { stopAll } from '../../bench/child.ts'
import { measureLags } from '../../bench/lag.ts'
import { removeFolders } from '../../bench/servers.ts'
import { reportLag } from './print-counts.ts'

/** `FLIGHTS=all` for a long run with one worker that polls, too. */
const flights = process.env.FLIGHTS === 'all' ? undefined : ['one worker, callbacks', 'two workers, polling']

/** Two thousand jobs in flight on real processes: the counts must be right; delays are printed, and the bench checks them. */
it('many jobs in flight are purchased once, polled rarely by one worker at a time, and all end', async (context) => {
  context.after(async () => {
    await stopAll()
    removeFolders()
  })
  const flown = await measureLags(flights)
  assert.equal(flown.length, flights?.length ?? 3)
  for (const one of flown) {
    reportLag(one)
    const { name, isPolling: polling, result: flight } = one
    assert.equal(flight.ended, flight.jobs, name)
    assert.equal(flight.submissions, 1, name)
    assert.ok(flight.polls < 8, `${name}: ${flight.polls} polls per job`)
    if (polling)
      assert.ok(flight.closestPollsMs >= 1000, `${name}: polled again after ${flight.closestPollsMs} ms`)
  }
})
