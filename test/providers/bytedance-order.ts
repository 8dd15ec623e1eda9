import assert from 'node:assert/strict'
import { bytedance } from '../../providers/bytedance/index.ts'
import { validateRequest } from '../../src/catalogue/validation/validate.ts'
import { orderFor } from './fixtures.ts'

/** What the gateway asks for, and of which endpoint. */
export function orderOf(request: { model: string; [field: string]: unknown }) {
  const admitted = validateRequest(request)
  assert(admitted.ok, JSON.stringify(admitted))
  const mapping = bytedance.models[admitted.model.id]
  assert(mapping !== undefined)
  const order = orderFor(bytedance, admitted.input)
  return { mapping, order, call: bytedance.submit(mapping, order) }
}

export const kite = { model: 'bytedance-seedance-v1-pro-fast', prompt: 'A kite' }
export const avatar = {
  model: 'bytedance-avatar-omni-human-1.5',
  image: 'https://media.example/face.jpg',
  audio: 'https://media.example/speech.mp3',
}
