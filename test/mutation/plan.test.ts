import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { table } from './plan.ts'

const root = join(import.meta.dirname, '../..')

describe('the plan of the mutation tests', () => {
  it('names sources that exist', () => {
    const missing = Object.keys(table).filter((source) => !existsSync(join(root, source)))
    assert.deepEqual(missing, [])
  })

  it('names tests that exist, at least one for each source', () => {
    for (const [source, patterns] of Object.entries(table)) {
      assert.ok(patterns.length > 0, source)
      for (const pattern of patterns) assert.ok(globSync(pattern, { cwd: root }).length > 0, pattern)
    }
  })
})
