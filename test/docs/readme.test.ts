import assert from 'node:assert/strict'
import { it } from 'node:test'
import { renderReadme, tables } from './tables.ts'

it('has the tables of the code (npm run tables writes them)', async () => {
  const { now, should } = await renderReadme()
  for (const name of Object.keys(tables))
    assert.ok(now.includes(`<!-- ${name} -->`), `the README has no table ${name}`)
  assert.equal(now, should)
})
