import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findUrlProblem } from '../../src/webhooks/webhook-url.ts'

const problem = (url: unknown, allowPrivateNetworks = false) => findUrlProblem(url, { allowPrivateNetworks })
const padded = (length: number) => `https://a.example/${'x'.repeat(length - 'https://a.example/'.length)}`

describe('the address of a webhook', () => {
  it('is public, by http or https', () => {
    for (const url of ['http://a.example', 'https://a.example:8443/hook?token=x', 'https://8.8.8.8/'])
      assert.equal(problem(url), undefined)
  })

  it('is a valid URL', () => {
    for (const url of ['ftp://a.example/', 'a.example', '', 7, undefined, new URL('https://a.example')])
      for (const allowPrivateNetworks of [false, true])
        assert.equal(problem(url, allowPrivateNetworks), 'must be an http(s) address')
  })

  it('has at most 2048 characters', () => {
    assert.equal(problem(padded(2048)), undefined)
    assert.equal(problem(padded(2049)), 'must not be longer than 2048 characters')
  })

  it('has neither a user name nor a password', () => {
    for (const user of ['me', ':secret', 'me:secret'])
      assert.equal(problem(`https://${user}@a.example/`), 'must not hold a user name or a password')
  })

  it('is not a private address, unless the operator allows that', () => {
    for (const host of ['localhost', 'LOCALHOST.', 'a.localhost', 'a.localhost.', '10.0.0.1', '[::1]']) {
      assert.equal(problem(`https://${host}/`), 'must be a public address')
      assert.equal(problem(`https://${host}/`, true), undefined)
    }
  })

  it('can contain "localhost" in other parts', () => {
    for (const host of ['localhost.example', 'mylocalhost', 'localhosts'])
      assert.equal(problem(`https://${host}/`), undefined)
  })
})
