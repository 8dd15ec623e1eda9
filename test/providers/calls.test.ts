import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { falSchemas } from '../../providers/fal/schema.ts'
import type { Json } from '../../providers/input.ts'
import { operationOf } from '../../providers/operation.ts'
import type { Call, EndpointMapping, Order } from '../../providers/provider.ts'
import { findViolations } from '../../providers/schema.ts'
import { models } from '../../src/catalogue/models/index.ts'
import { validateRequest } from '../../src/catalogue/validation/validate.ts'
import type { Circumstances } from './fixtures.ts'
import { folders, orderFor, providerOf, readFixture, registered, wired } from './fixtures.ts'
import { createMockUpstreams } from './mock-upstreams.ts'

let vendors: Awaited<ReturnType<typeof createMockUpstreams>>

before(async () => {
  vendors = await createMockUpstreams()
})
after(() => vendors.close())

type CallFixture = Circumstances & {
  name: string
  request: Readonly<Record<string, Json>> & { model: string }
  /** The exact call; in a failover that cannot render the request there is none, but a reason. */
  call?: Call
  unsupported?: string
}

test('every provider has a folder of fixtures', () => {
  assert.deepEqual(
    registered.map(({ name }) => name).filter((name) => !folders.includes(name)),
    [],
    'upstreams without test/fixtures/<name>/calls.json and replies.json',
  )
})

for (const folder of folders) {
  describe(folder, () => {
    const provider = providerOf(folder)
    const fixtures = readFixture<readonly CallFixture[]>(folder, 'calls.json')

    test('every operation of every model has a call, or a reason why there is none', () => {
      const described = new Set(
        fixtures.flatMap(({ request }) => {
          const admitted = validateRequest(request)
          return admitted.ok
            ? [`${admitted.model.id} ${operationOf(admitted.model.modes, admitted.input)}`]
            : []
        }),
      )
      const expected = models
        .filter(({ id }) => provider.models[id] !== undefined)
        .flatMap(({ id, modes }) => modes.map((mode) => `${id} ${mode}`))
      assert.deepEqual(
        expected.filter((one) => !described.has(one)),
        [],
      )
      const called = fixtures.filter(({ call }) => call !== undefined).map(({ request }) => request.model)
      assert.deepEqual(
        Object.keys(provider.models).filter((model) => !called.includes(model)),
        [],
        `models without a call in test/fixtures/${folder}/calls.json`,
      )
    })

    test('no two calls have the same name', () => {
      assert.equal(new Set(fixtures.map(({ name }) => name)).size, fixtures.length)
    })

    for (const { name, request, call, unsupported, ...circumstances } of fixtures) {
      test(name, async () => {
        const admitted = validateRequest(request)
        assert(admitted.ok, `not admitted: ${JSON.stringify(admitted)}`)
        assert(
          admitted.model.providers.includes(provider.name),
          `${request.model} does not list ${provider.name}`,
        )
        const mapping = provider.models[admitted.model.id]
        assert(mapping !== undefined, `providers/${folder}/models.ts does not map ${request.model}`)
        const order = orderFor(provider, admitted.input, circumstances)
        const [rejection] = provider.check?.(mapping, admitted.input, order.settings) ?? []
        assert.equal(mapping.unsupported?.(admitted.input) ?? rejection?.message, unsupported)
        if (unsupported !== undefined) return
        assert.deepEqual(wired(provider.submit(mapping, order)), call)
        const outcome = await vendors.order(provider, mapping, order)
        const isAccepted = ['running', 'done'].includes(outcome.kind)
        assert.ok(
          isAccepted,
          `The mock upstream did not accept the call (its schema is in providers/${folder}): ${JSON.stringify(outcome)}`,
        )
        if (provider.name === 'fal') assert.deepEqual(unknownToFal(mapping, order), [])
      })
    }
  })
}

/** FAL takes no notice of what it does not know, so that a misspelled field would go unnoticed. */
function unknownToFal(mapping: EndpointMapping, { input }: Order): readonly string[] {
  const { endpoint, body } = mapping.toRequest(input)
  const schema = falSchemas[mapping.endpoints[endpoint] ?? '']
  assert(schema !== undefined, `no schema describes ${mapping.endpoints[endpoint]}`)
  return findViolations(schema, body).map(({ field }) => field)
}
