import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TaskReference } from '../../providers/provider.ts'
import { folders, orderFor, providerOf, readFixture } from './fixtures.ts'

type Recorded = { name: string; of: string; outcome: { kind: string; ticket?: TaskReference } }

describe('the task of a ticket', () => {
  for (const folder of folders) {
    const provider = providerOf(folder)
    const accepted = readFixture<readonly Recorded[]>(folder, 'replies.json').filter(
      ({ of, outcome }) => of === 'submit' && outcome.ticket !== undefined,
    )

    it(`${folder}: every accepted submit names a task`, () => {
      assert.ok(accepted.length > 0)
      for (const { name, outcome } of accepted)
        assert.match(provider.task.id(outcome.ticket ?? {}), /^(?!undefined$|null$)./, name)
    })

    for (const [model, mapping] of Object.entries(provider.models)) {
      it(`${folder}: a task id that an operator looked up leads to a task of ${model}`, () => {
        const ticket = provider.task.reference('task-1', orderFor(provider, { prompt: 'a boat' }), mapping)
        assert.ok(ticket)
        assert.equal(provider.task.id(ticket), 'task-1')
        assert.match(JSON.stringify(provider.poll(ticket)), /task-1/)
      })
    }
  }
})
