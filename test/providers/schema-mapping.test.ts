import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyBoolean, oneOf } from '../../providers/schema.ts'
import { toUpstreamValue } from '../../providers/schema-mapping.ts'

test('a word becomes a switch where the upstream has one', () => {
  assert.equal(toUpstreamValue('enabled', anyBoolean), true)
  assert.equal(toUpstreamValue('disabled', anyBoolean), false)
  assert.equal(toUpstreamValue('multi', anyBoolean), true)
  assert.equal(toUpstreamValue('single', anyBoolean), false)
  assert.equal(toUpstreamValue('auto', oneOf('enabled', 'disabled', 'auto')), 'auto')
})

test('a switch becomes a word where the upstream has words', () => {
  assert.equal(toUpstreamValue(true, oneOf('auto', 'origin')), 'origin')
  assert.equal(toUpstreamValue(false, oneOf('auto', 'origin')), 'auto')
  assert.equal(toUpstreamValue(false, oneOf('disabled', 'balanced', 'fast', 'quality')), 'disabled')
  assert.equal(toUpstreamValue(true, anyBoolean), true)
})

test('a switch stays where no word fits, so that the check finds it', () => {
  assert.equal(toUpstreamValue(true, oneOf('slow', 'fast')), true)
})
