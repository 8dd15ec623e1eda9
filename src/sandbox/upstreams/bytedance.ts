import type { MockUpstream } from '../mock-upstream.ts'
import { mountArk } from './bytedance-ark.ts'
import { mountVisual } from './bytedance-visual.ts'

/** Mocks of Ark and of the Visual API. */
export const bytedanceMock: MockUpstream = {
  name: 'bytedance',
  // All calls of the Visual API go to one path, and only their bodies are texts.
  operationOf(body) {
    if (typeof body !== 'string') return undefined
    return body.includes('"task_id"') ? 'poll' : 'submit'
  },
  mount(app, context) {
    app.register(async (scope) => mountArk(scope, context), { prefix: '/ark' })
    app.register(async (scope) => mountVisual(scope, context), { prefix: '/visual' })
  },
}
