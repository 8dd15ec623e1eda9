import assert from 'node:assert/strict'
import { test } from 'node:test'
import { providers } from '../../providers/index.ts'
import type { Input } from '../../providers/input.ts'
import type { Call } from '../../providers/provider.ts'
import { priceOf } from '../../src/accounts/price.ts'
import { admit } from '../../src/catalogue/admit.ts'
import { models } from '../../src/catalogue/index.ts'
import type { Model } from '../../src/catalogue/model.ts'
import { relax } from '../../src/catalogue/relax.ts'
import { leastRequest } from '../least-request.ts'
import { orderFor, readFixture } from '../providers/fixtures.ts'
import { type FieldShape, misshapen } from '../providers/shape.ts'
import { clientBodies } from './client-bodies.ts'

const endpoints = new Map(
  Object.values(providers).map(({ name }) => [
    name,
    readFixture<Readonly<Record<string, Readonly<Record<string, FieldShape>>>>>(name, 'endpoints.json'),
  ]),
)

for (const [name, body] of Object.entries(clientBodies)) {
  test(`${name}: all models take it, and their upstreams what is made of it`, () => {
    for (const model of models) {
      for (const mode of model.modes) {
        const result = admit({ ...leastRequest(model, mode), ...body })
        assert.ok(result.ok, `${model.id}, ${mode}: ${JSON.stringify(result)}`)
        assert.ok(priceOf(model, result.input, 0).usd > 0)
        const strict = admit({ model: model.id, ...result.input }, { handling: 'strict' })
        assert.ok(strict.ok, `${model.id}, ${mode}: ${JSON.stringify(strict)}`)
        const isRendered = (one: Input) => upstreamsOf(model, one).length > 0
        const input = isRendered(result.input) ? result.input : relax(model, result.input, isRendered)?.input
        assert.ok(
          input !== undefined,
          `${model.id}, ${mode}: no upstream renders ${JSON.stringify(result.input)}`,
        )
        for (const id of upstreamsOf(model, input)) assertFits(id, model.id, input)
      }
    }
  })
}

function upstreamsOf(model: Model, input: Input) {
  return model.providers.filter((id) => {
    const offer = providers[id].offers[model.id]
    return offer !== undefined && offer.refuses?.(input) === undefined
  })
}

test('where one upstream alone has a key, it renders what comes closest', () => {
  for (const model of models) {
    for (const id of model.providers) {
      const offer = providers[id].offers[model.id]
      if (offer === undefined) continue
      const isRendered = (one: Input) => offer.refuses?.(one) === undefined
      for (const mode of model.modes) {
        const least = inputOf(leastRequest(model, mode))
        if (!isRendered(least) && relax(model, least, isRendered) === undefined) continue
        for (const [name, body] of Object.entries(clientBodies)) {
          const { negativePrompt: _text, seed: _seed, ...settings } = body
          const input = inputOf({ ...leastRequest(model, mode), ...settings })
          const rendered = isRendered(input) || relax(model, input, isRendered) !== undefined
          assert.ok(rendered, `${id}, ${model.id}, ${mode}: ${name}: ${offer.refuses?.(input)}`)
        }
      }
    }
  }
})

function inputOf(body: Record<string, unknown>): Input {
  const result = admit(body)
  assert.ok(result.ok)
  return result.input
}

function assertFits(id: keyof typeof providers, model: string, input: Input) {
  const provider = providers[id]
  const offer = provider.offers[model]
  assert.ok(offer !== undefined)
  const call = provider.submit(offer, orderFor(provider, input, {}))
  const shapes = endpoints.get(provider.name)
  const shape = shapes?.[call.path] ?? shapes?.[offer.endpoints[offer.translate(input).endpoint] ?? '']
  assert.ok(shape !== undefined, `${id} ${call.path}`)
  assert.deepEqual(misshapen(bodyOf(call), shape), [], `${id} ${model} ${JSON.stringify(call.json)}`)
}

function bodyOf(call: Call): unknown {
  const body = JSON.parse(JSON.stringify(call.json ?? call.form ?? {}))
  return Array.isArray(body) && body.length === 1 ? body[0] : body
}
