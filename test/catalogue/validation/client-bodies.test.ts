import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { providers } from '../../../providers/index.ts'
import type { Input } from '../../../providers/input.ts'
import type { EndpointMapping, ProviderName } from '../../../providers/provider.ts'
import { priceJob } from '../../../src/accounts/job-price.ts'
import type { Model } from '../../../src/catalogue/model.ts'
import { models } from '../../../src/catalogue/models/index.ts'
import { relaxInput } from '../../../src/catalogue/validation/relax-input.ts'
import { validateRequest } from '../../../src/catalogue/validation/validate.ts'
import { orderFor } from '../../providers/fixtures.ts'
import { createMockUpstreams } from '../../providers/mock-upstreams.ts'
import { leastRequest } from '../../support/least-request.ts'
import { clientBodies } from './client-bodies.ts'

let vendors: Awaited<ReturnType<typeof createMockUpstreams>>

before(async () => {
  vendors = await createMockUpstreams()
})
after(() => vendors.close())

for (const [name, body] of Object.entries(clientBodies)) {
  test(`${name}: all models take it, and their upstreams what is made of it`, async () => {
    for (const model of models) {
      for (const mode of model.modes) {
        const result = validateRequest({ ...leastRequest(model, mode), ...body })
        assert.ok(result.ok, `${model.id}, ${mode}: ${JSON.stringify(result)}`)
        assert.ok(priceJob(model, result.input, 0).usd > 0)
        const strict = validateRequest({ model: model.id, ...result.input }, { handling: 'strict' })
        assert.ok(strict.ok, `${model.id}, ${mode}: ${JSON.stringify(strict)}`)
        const isRendered = (one: Input) => upstreamsOf(model, one).length > 0
        // The router folds a seed that only some upstreams take.
        const folded = result.input.seed === 0 ? { ...result.input, seed: 1 } : result.input
        const input =
          [result.input, folded].find(isRendered) ?? relaxInput(model, result.input, isRendered)?.input
        assert.ok(
          input !== undefined,
          `${model.id}, ${mode}: no upstream renders ${JSON.stringify(result.input)}`,
        )
        for (const id of upstreamsOf(model, input)) await assertFits(id, model.id, input)
      }
    }
  })
}

function upstreamsOf(model: Model, input: Input) {
  return model.providers.filter((id) => {
    const mapping = providers[id].models[model.id]
    return mapping !== undefined && reasonOf(id, mapping, input) === undefined
  })
}

/** Why an upstream does not render an input. */
function reasonOf(id: ProviderName, mapping: EndpointMapping, input: Input): string | undefined {
  const provider = providers[id]
  const { settings } = orderFor(provider, input)
  return mapping.unsupported?.(input) ?? provider.check?.(mapping, input, settings)[0]?.message
}

test('where one upstream alone has a key, it renders what comes closest', () => {
  for (const model of models) {
    for (const id of model.providers) {
      const mapping = providers[id].models[model.id]
      if (mapping === undefined) continue
      const isRendered = (one: Input) => reasonOf(id, mapping, one) === undefined
      for (const mode of model.modes) {
        const least = inputOf(leastRequest(model, mode))
        if (!isRendered(least) && relaxInput(model, least, isRendered) === undefined) continue
        for (const [name, body] of Object.entries(clientBodies)) {
          const { negativePrompt: _text, seed: _seed, ...settings } = body
          const input = inputOf({ ...leastRequest(model, mode), ...settings })
          // What changes the price is for the caller to choose.
          const isRelaxed = [input, withoutPricedFields(model, input)].some(
            (one) => isRendered(one) || relaxInput(model, one, isRendered) !== undefined,
          )
          assert.ok(isRelaxed, `${id}, ${model.id}, ${mode}: ${name}: ${reasonOf(id, mapping, input)}`)
        }
      }
    }
  }
})

function withoutPricedFields(model: Model, input: Input): Input {
  const priced = new Set(['duration', ...model.price.rates.flatMap(({ when = {} }) => Object.keys(when))])
  return Object.fromEntries(Object.entries(input).filter(([field]) => !priced.has(field)))
}

function inputOf(body: Record<string, unknown>): Input {
  const result = validateRequest(body)
  assert.ok(result.ok)
  return result.input
}

async function assertFits(id: ProviderName, model: string, input: Input) {
  const provider = providers[id]
  const mapping = provider.models[model]
  assert.ok(mapping !== undefined)
  const order = { ...orderFor(provider, input), attempt: randomUUID() }
  const outcome = await vendors.order(provider, mapping, order)
  assert.ok(
    outcome.kind === 'done' || outcome.kind === 'running',
    `${id} ${model}: ${JSON.stringify(outcome)}`,
  )
}
