import type { Sandbox } from '../mock-upstream.ts'
import { mountArk } from './bytedance-ark.ts'
import { mountVisual } from './bytedance-visual.ts'

/** Stand-ins for Ark and for the Visual API. */
export const sandbox: Sandbox = {
  name: 'bytedance',
  // All calls of the Visual API go to one path, and only their bodies are texts.
  operationOf(body) {
    if (typeof body !== 'string') return undefined
    return body.includes('"task_id"') ? 'poll' : 'submit'
  },
  mount(app, stage) {
    app.register(async (scope) => mountArk(scope, stage), { prefix: '/ark' })
    app.register(async (scope) => mountVisual(scope, stage), { prefix: '/visual' })
  },
}
