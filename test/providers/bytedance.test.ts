import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytedance } from '../../providers/bytedance/index.ts'
import { avatar, kite, orderOf } from './bytedance-order.ts'

test('on Volcengine, which cannot cancel, the call to cancel changes nothing', () => {
  const ticket = { host: 'visual', task: '1', platform: 'volcengine', reqKey: 'key' }
  assert.deepEqual(bytedance.cancel?.(ticket), bytedance.poll(ticket))
})

test('how media is handed over, and what is left to others', () => {
  const image = { kind: 'image', contentType: 'image/png', bytes: 30_000_000, filename: 'a.png' } as const
  const seedance = orderOf(kite).mapping
  const omniHuman = orderOf(avatar).mapping
  assert.equal(bytedance.mediaTransfer(seedance, image), 'inline')
  assert.equal(bytedance.mediaTransfer(seedance, { ...image, bytes: 30_000_001 }), 'link')
  assert.equal(bytedance.mediaTransfer(omniHuman, { ...image, bytes: 10 }), 'link')
  const rejected = (prompt: string) =>
    bytedance.check?.(omniHuman, { prompt, image: 'a', audio: 'b' }, {}).map(({ message }) => message)
  assert.equal(omniHuman.unsupported?.({ audioDuration: 60 }), undefined)
  assert.deepEqual(rejected('🪁'.repeat(300)), [])
  assert.match(rejected('x'.repeat(301))?.[0] ?? '', /^`prompt` must be at most 300 characters for ByteDance/)
  assert.match(omniHuman.unsupported?.({ audioDuration: 61 }) ?? '', /60 seconds/)
  assert.equal(bytedance.models['bytedance-waver-1.0'], undefined)
})

test('a callback names the task; a search for OmniHuman finds nothing', () => {
  const { mapping, order } = orderOf(avatar)
  assert.deepEqual(bytedance.adopt?.({ id: 'cgt-1', status: 'running' }, order, mapping), {
    host: 'ark',
    task: 'cgt-1',
  })
  assert.equal(bytedance.adopt?.({ id: 1 }, order, mapping), undefined)
  const reply = { status: 200, headers: {}, baseUrl: '', body: { items: [] } }
  assert.deepEqual(bytedance.find?.read(reply, order, mapping), { kind: 'absent' })
})
