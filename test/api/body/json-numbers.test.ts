import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toExactNumber, withExactNumbers } from '../../../src/api/body/json-numbers.ts'

const read = (text: string) => withExactNumbers(text, JSON.parse(text))

describe('numbers of a JSON text', () => {
  it('above 2^53 are preserved as they were sent', () => {
    assert.deepEqual(read('{"seed":9007199254740993,"a":[-9007199254740993,18446744073709551615]}'), {
      seed: '9007199254740993',
      a: ['-9007199254740993', '18446744073709551615'],
    })
    assert.deepEqual(read('[1e400,-1e400,1e20,9007199254740992]'), [
      '1e400',
      '-1e400',
      '1e20',
      '9007199254740992',
    ])
  })

  it('that fit a double are parsed as numbers', () => {
    const text =
      '[0,-1,1.5,9007199254740991,-9007199254740991,1e15,0.12345678901234567890,"9007199254740993",true]'
    assert.deepEqual(read(text), JSON.parse(text))
  })

  it('change nothing else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify({ value, large: 12345678901234567890n.toString() })
        const isSmall = !/\d{16}|e\+/.test(JSON.stringify(value))
        if (isSmall) assert.deepEqual(read(text), JSON.parse(text))
      }),
      { numRuns: 200 },
    )
  })

  it('are distinguished from each other', () => {
    assert.equal(toExactNumber('9007199254740991'), 9007199254740991)
    assert.equal(toExactNumber('9007199254740993'), '9007199254740993')
    assert.equal(toExactNumber('1e400'), '1e400')
  })
})
