import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { priceJob } from '../../src/accounts/job-price.ts'
import { models } from '../../src/catalogue/models/index.ts'
import { validateRequest } from '../../src/catalogue/validation/validate.ts'

type Row = { ask: Readonly<Record<string, unknown>>; usd: number; how: string }
type PricedModel = {
  model: string
  source: string
  base: Readonly<Record<string, unknown>>
  rows: readonly Row[]
}

const folder = join(import.meta.dirname, 'prices')
const table = globSync('*.json', { cwd: folder }).flatMap((name): readonly PricedModel[] =>
  JSON.parse(readFileSync(join(folder, name), 'utf8')),
)

test('every model has three prices at least that were computed by hand, with their source', () => {
  const priced = table.map(({ model }) => model)
  const ids = models.map(({ id }) => id)
  assert.deepEqual(
    ids.filter((id) => !priced.includes(id)),
    [],
    'models without an entry in prices.json',
  )
  assert.deepEqual(
    priced.filter((model) => !ids.includes(model)),
    [],
    'entries of prices.json without a model',
  )
  assert.equal(new Set(priced).size, priced.length, 'prices.json has two entries of one model')
  for (const { model, source, rows } of table) {
    assert.notEqual(source, '', model)
    const count = new Set(rows.map(({ ask }) => JSON.stringify(ask))).size
    assert.ok(count >= 3, `${model} has ${count} prices for different requests; it needs three`)
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
