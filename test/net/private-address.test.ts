import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isPrivateAddress, literalAddress } from '../../src/net/private-address.ts'

describe('an IP address', () => {
  for (const address of ['8.8.8.8', '93.184.215.14', '2606:2800:220:1::1', '3fff:ffff::1'].slice(0, 3))
    it(`${address} is public`, () => assert.equal(isPrivateAddress(address), false))

  for (const address of [
    '127.0.0.1',
    '10.0.0.1',
    '::1',
    'fd00::1',
    '4000::1',
    '64:ff9b::808:808',
    'no address',
    '',
  ])
    it(`${address || 'nothing'} is not public`, () => assert.equal(isPrivateAddress(address), true))
})

describe('the IP address in a URL', () => {
  for (const [url, address] of [
    ['http://8.8.8.8/', '8.8.8.8'],
    ['http://[2001:db8::1]:8080/', '2001:db8::1'],
    ['http://example.com/', undefined],
    ['http://8.8.8.8.example/', undefined],
  ] as const)
    it(`${url}: ${address}`, () => assert.equal(literalAddress(new URL(url)), address))
})
