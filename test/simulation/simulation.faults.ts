import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeReport } from './describe-run.ts'
import type { FaultKind } from './faults.ts'
import { exploreInLanes } from './lanes.ts'
import type { BugName } from './planted-bugs.ts'

const lanes = 2
const seed = 1

/** Within how many runs each bug has to be found, by what it breaks. */
const planted: Record<BugName, { runs: number; breaks: RegExp; kinds?: FaultKind[] }> = {
  'no fence': { runs: 400, breaks: /went back|purchased \d+ times|the end changed/ },
  'no intent': { runs: 100, breaks: /purchased \d+ times/ },
  'no task claim': {
    runs: 200,
    breaks: /both have the task|succeeded with the task of another job/,
    kinds: ['repeatsId', 'replyLost'],
  },
  'no retry of the reply': { runs: 100, breaks: /received, and it ended as unknown/ },
  'refund on unknown': { runs: 50, breaks: /the ledger shows reserve release for failed/ },
}

describe('simulation of random faults', () => {
  it('breaks no invariant', async () => {
    const report = await exploreInLanes({ seed, runs: 1e9, lanes, forMs: 60_000 })
    process.stdout.write(describeReport(report))
    assert.ok(report.runs > 0)
    assert.deepEqual(report.failure?.result.broken ?? [], [])
  })

  for (const [bug, { runs, breaks, kinds }] of Object.entries(planted)) {
    it(`finds a planted bug: ${bug}`, async () => {
      const { failure } = await exploreInLanes({
        seed,
        runs,
        lanes,
        bug: bug as BugName,
        shrinks: false,
        ...(kinds && { kinds }),
      })
      process.stdout.write(`${bug}: found after ${failure?.runsUntilFound} runs\n`)
      assert.match(failure?.result.broken.join('\n') ?? 'nothing', breaks)
    })
  }
})
