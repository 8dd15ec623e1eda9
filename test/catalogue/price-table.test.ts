import assert from 'node:assert/strict'
import { test } from 'node:test'
import { priceJob } from '../../src/accounts/job-price.ts'
import { models } from '../../src/catalogue/models/index.ts'
import { validateRequest } from '../../src/catalogue/validation/validate.ts'
import table from '../fixtures/prices.json' with { type: 'json' }

test('every model has three prices at least that were computed by hand, with their source', () => {
  assert.deepEqual(table.map(({ model }) => model).sort(), models.map(({ id }) => id).sort())
  for (const { model, source, rows } of table) {
    assert.notEqual(source, '', model)
    assert.ok(new Set(rows.map(({ ask }) => JSON.stringify(ask))).size >= 3, model)
  }
})

for (const { model, base, rows } of table) {
  test(`${model} costs what its source says`, () => {
    for (const { ask, usd, how } of rows) {
      const admitted = validateRequest({ model, ...base, ...ask })
      assert.ok(admitted.ok, JSON.stringify(admitted))
      assert.equal(priceJob(admitted.model, admitted.input, 0).usd, usd, `${how} for ${JSON.stringify(ask)}`)
    }
  })
}
