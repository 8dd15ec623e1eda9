import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { operatorKey, startBackend } from '../../accounts/test-accounts.ts'
import { createCleanup, startTestGateway } from '../../support/setup.ts'

const json = { 'content-type': 'application/json' }
const defaultUrl = 'https://example.com/usual'

describe('a body without the expected fields', () => {
  const cleanup = createCleanup()
  let address: string
  let key: string
  let id: string
  before(async () => {
    const { ledger, env } = await startBackend(cleanup)
    const made = await ledger.createAccount({ name: 'ann', rpm: 7, dailyUsd: 5, balanceUsd: 3 })
    key = made.key
    id = made.account.id
    address = (await startTestGateway(cleanup, env)).address
  })
  after(() => cleanup.run())

  const request = async (
    method: string,
    path: string,
    { body, ...headers }: Record<string, string> = {},
    as = key,
  ) => {
    const reply = await fetch(address + path, {
      method,
      headers: { 'x-api-key': as, ...headers },
      ...(body !== undefined && { body }),
    })
    return { status: reply.status, body: JSON.parse(await reply.text()) }
  }
  const configured = async () => (await request('GET', '/api/webhooks')).body.webhookUrl

  for (const [what, sent] of [
    ['no body', {}],
    ['an empty body', { body: '', ...json }],
    ['null', { body: 'null', ...json }],
    ['an empty object', { body: '{}', ...json }],
    ['a list', { body: '[]', ...json }],
    ['another name', { body: '{"address":"https://example.com"}', ...json }],
    ['an empty address', { body: '{"webhookUrl":""}', ...json }],
    ['a blank address', { body: '{"url":"  "}', ...json }],
    ['a number', { body: '{"url":7}', ...json }],
    ['false', { body: '{"url":false}', ...json }],
    ['a list as the address', { body: '{"callback_url":[]}', ...json }],
  ] as const) {
    it(`with ${what} leaves the webhook address as it is`, async () => {
      await request('POST', '/api/webhooks', { body: JSON.stringify({ url: defaultUrl }), ...json })
      const reply = await request('POST', '/api/webhooks', sent)
      assert.equal(reply.status, 400)
      assert.equal(await configured(), defaultUrl)
    })
  }

  for (const name of ['url', 'webhookUrl', 'webhook_url', 'callback_url']) {
    it(`${name} sets the webhook address, and null removes it`, async () => {
      const set = await request('POST', '/api/webhooks', {
        body: JSON.stringify({ [name]: defaultUrl }),
        ...json,
      })
      assert.deepEqual(set, { status: 200, body: { webhookUrl: defaultUrl } })
      assert.equal(await configured(), defaultUrl)
      const unset = await request('POST', '/api/webhooks', {
        body: JSON.stringify({ [name]: null }),
        ...json,
      })
      assert.deepEqual(unset, { status: 200, body: { webhookUrl: null } })
      assert.equal(await configured(), null)
    })
  }

  const limits = async () => {
    const { rpm, dailyUsd, balanceUsd } = (await request('GET', `/api/admin/keys/${id}`, {}, operatorKey))
      .body
    return { rpm, dailyUsd, balanceUsd }
  }

  for (const body of [
    undefined,
    '',
    '{}',
    'null',
    '[]',
    '{"rpm":""}',
    '{"dailyUsd":"none"}',
    '{"note":"x"}',
  ]) {
    it(`${body ?? 'none'} changes no limit and no balance of an account`, async () => {
      const before = await limits()
      const sent = body === undefined ? {} : { body, ...json }
      const { status } = await request(
        'PATCH',
        `/api/admin/keys/${id}`,
        sent as Record<string, string>,
        operatorKey,
      )
      assert.equal(status, body === '{}' ? 200 : 400)
      assert.deepEqual(await limits(), before)
    })
  }

  it('one limit of an account is changed and the others stay', async () => {
    const before = await limits()
    await request('PATCH', `/api/admin/keys/${id}`, { body: '{"rpm":9}', ...json }, operatorKey)
    assert.deepEqual(await limits(), { ...before, rpm: 9 })
    await request('PATCH', `/api/admin/keys/${id}`, { body: '{"rpm":null}', ...json }, operatorKey)
    assert.deepEqual(await limits(), { ...before, rpm: undefined })
  })

  it('a decision on money requires its fields', async () => {
    const path = `/api/admin/unknown/vid_1`
    assert.equal((await request('POST', path, { body: '{}', ...json }, operatorKey)).status, 400)
    assert.equal((await request('POST', path, {}, operatorKey)).status, 400)
    assert.equal((await request('POST', `/api/admin/keys/${id}/held/vid_1`, {}, operatorKey)).status, 400)
    assert.equal((await request('POST', '/api/admin/keys', {}, operatorKey)).status, 400)
  })
})
