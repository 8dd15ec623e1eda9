import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recordFromPairs, toAccount, toMovement } from '../../src/accounts/account.ts'

const none = { reservedUsd: 0, heldUsd: 0, spentUsd: 0 }

describe('an account stored in Redis', () => {
  it('has no name and no balance if its hash has none', () => {
    assert.deepEqual(toAccount('key_1', { createdAt: '5' }), {
      id: 'key_1',
      name: '',
      hint: '',
      createdAt: 5,
      ...none,
    })
  })

  it('has its amounts in USD', () => {
    const fields = { createdAt: '5', revokedAt: '6', rpm: '7', daily: '1', balance: '2' }
    const money = { reserved: '3', held: '4', spent: '5' }
    assert.deepEqual(toAccount('key_1', { name: 'ann', hint: 'abcd', ...fields, ...money }), {
      id: 'key_1',
      name: 'ann',
      hint: 'abcd',
      createdAt: 5,
      revokedAt: 6,
      rpm: 7,
      dailyUsd: 0.000001,
      balanceUsd: 0.000002,
      reservedUsd: 0.000003,
      heldUsd: 0.000004,
      spentUsd: 0.000005,
    })
  })
})

describe('a ledger movement stored in Redis', () => {
  it('omits absent fields', () => {
    assert.deepEqual(toMovement('7-0', ['job', '', 'note', '']), {
      id: '7-0',
      at: 7,
      kind: '',
      balanceUsd: 0,
      ...none,
    })
  })

  it('has every field of its row', () => {
    const texts = ['kind', 'charge', 'job', 'j', 'operation', 'o', 'by', 'b', 'note', 'n']
    const money = ['balance', '1', 'reserved', '-2', 'held', '3', 'spent', '4']
    assert.deepEqual(toMovement('7-1', [...texts, ...money]), {
      id: '7-1',
      at: 7,
      kind: 'charge',
      job: 'j',
      operation: 'o',
      by: 'b',
      note: 'n',
      balanceUsd: 0.000001,
      reservedUsd: -0.000002,
      heldUsd: 0.000003,
      spentUsd: 0.000004,
    })
  })

  it('does not confuse a value with a field name', () => {
    assert.deepEqual(recordFromPairs(['by', 'olga', 'note', 'by']), { by: 'olga', note: 'by' })
    assert.deepEqual(recordFromPairs(['by']), { by: '' })
  })
})
