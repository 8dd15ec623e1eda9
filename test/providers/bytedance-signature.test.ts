import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytedance } from '../../providers/bytedance/index.ts'
import { sha256 } from '../../providers/bytedance/visual/signature.ts'

const body =
  '{"req_key":"realman_avatar_picture_omni15_cv","image_url":"https://creator.example/avatar.jpg","audio_url":"https://creator.example/speech.mp3","output_resolution":1080}'
const keys = { VOLC_ACCESS_KEY: 'test-access-key', VOLC_SECRET_KEY: 'test-secret-key' }

function sign(url: string, changed: { body?: string; method?: string } = {}) {
  const host = bytedance.hosts.visual
  assert(host !== undefined)
  const request = { method: 'POST', url: new URL(url), headers: {}, body, ...changed }
  return host.sign(request, keys, new Date('2026-01-05T12:21:33Z'))
}

const known = 'https://cv.byteplusapi.com/?Action=CVSubmitTask&Version=2024-06-06'

test('the signature is the published one', () => {
  assert.deepEqual(sign(known), {
    'x-date': '20260105T122133Z',
    'x-content-sha256': 'a5bb142ffbe9d0afacb3e75923239696e5eadd3c2b939ef6d0badd364ecf000c',
    authorization:
      'HMAC-SHA256 Credential=test-access-key/20260105/ap-singapore-1/cv/request, SignedHeaders=host;x-content-sha256;x-date, Signature=2d35a1ea9d3300e1c17ca70ea329d68f2ba9f7053b5013879ab18e9ad826aa7b',
  })
})

test('the order of the query does not matter, everything else does', () => {
  const signature = sign(known).authorization
  assert.equal(
    sign('https://cv.byteplusapi.com/?Version=2024-06-06&Action=CVSubmitTask').authorization,
    signature,
  )
  const others = [
    sign(known, { body: `${body} ` }),
    sign(known, { method: 'GET' }),
    sign('https://cv.byteplusapi.com/deeper/?Action=CVSubmitTask&Version=2024-06-06'),
    sign('https://other.example/?Action=CVSubmitTask&Version=2024-06-06'),
    sign('https://cv.byteplusapi.com/?Action=CVGetResult&Version=2024-06-06'),
  ]
  assert.equal(new Set([signature, ...others.map(({ authorization }) => authorization)]).size, 6)
})

test('the region follows from the host, and an empty body has a hash of its own', () => {
  assert.match(
    sign('https://visual.volcengineapi.com/?Action=CVSubmitTask&Version=2022-08-31').authorization ?? '',
    /\/20260105\/cn-north-1\/cv\/request,/,
  )
  assert.equal(sign(known, { body: '' })['x-content-sha256'], sha256(''))
})

test('neither secret travels', () => {
  const sent = JSON.stringify(sign(known))
  assert(!sent.includes(keys.VOLC_SECRET_KEY))
})
