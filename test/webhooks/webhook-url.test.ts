import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findUrlProblem } from '../../src/webhooks/webhook-url.ts'
import { plainBody, startGateway } from '../api/gateway.ts'

const privateUrls = [
  'http://127.0.0.1/hook',
  'http://2130706433/hook',
  'http://0x7f.1/hook',
  'http://[::1]/hook',
  'http://[::ffff:10.0.0.1]/hook',
  'http://169.254.169.254/latest',
  'http://192.168.1.5:8080/',
  'http://localhost:3000/hook',
  'https://a.localhost/hook',
]

const wrong = [
  'ftp://example.com/',
  'file:///etc/passwd',
  'example.com/hook',
  'https://me:secret@example.com/',
  7,
  {},
]

test('a submit with an invalid webhook URL is rejected', async (t) => {
  const { app, engine } = await startGateway(t)
  for (const webhookUrl of [...privateUrls, ...wrong, `https://example.com/${'x'.repeat(2048)}`]) {
    await t.test(`with the webhook ${String(webhookUrl).slice(0, 40)}`, async () => {
      const payload = { ...plainBody, webhookUrl }
      const reply = await app.inject({ method: 'POST', url: '/api/generate-video', payload })
      assert.equal(reply.statusCode, 400)
      assert.equal(reply.json().error.param, 'webhookUrl')
      assert.ok(!reply.body.includes('secret'))
      assert.equal(engine.requests.length, 0)
    })
  }
})

test('private addresses are accepted if the operator allows them', () => {
  for (const url of privateUrls) assert.equal(findUrlProblem(url, { allowPrivateNetworks: true }), undefined)
  for (const url of wrong) assert.notEqual(findUrlProblem(url, { allowPrivateNetworks: true }), undefined)
})

test('a webhook is stored with the job and not returned', async (t) => {
  const { app, engine } = await startGateway(t)
  const payload = { ...plainBody, callback_url: 'https://example.com/hook?token=hush' }
  const reply = await app.inject({ method: 'POST', url: '/api/generate-video', payload })
  assert.deepEqual(reply.json().warnings, [])
  const [request] = engine.requests
  assert.deepEqual(request?.webhook, {
    baseUrl: 'http://localhost:80',
    url: 'https://example.com/hook?token=hush',
  })
  const status = await app.inject(`/api/video-status?runId=${reply.json().runId}`)
  assert.ok(!status.body.includes('hush'))
})
