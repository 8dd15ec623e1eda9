import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json } from '../../providers/input.ts'
import type { Call, Offer } from '../../providers/provider.ts'
import { admit } from '../../src/catalogue/admit.ts'
import type { Circumstances } from './fixtures.ts'
import { folders, orderFor, providerOf, readFixture, registered, wired } from './fixtures.ts'
import type { FieldShape } from './shape.ts'
import { misshapen } from './shape.ts'

type CallFixture = Circumstances & {
  name: string
  request: Readonly<Record<string, Json>> & { model: string }
  /** The exact call; in a failover that cannot render the request there is none, but a reason. */
  call?: Call
  refuses?: string
}

test('every provider has a folder of fixtures', () => {
  assert.deepEqual(
    registered.map(({ name }) => name).filter((name) => !folders.includes(name)),
    [],
  )
})

for (const folder of folders) {
  describe(folder, () => {
    const provider = providerOf(folder)
    const fixtures = readFixture<readonly CallFixture[]>(folder, 'calls.json')
    const endpoints = readFixture<Readonly<Record<string, Readonly<Record<string, FieldShape>>>>>(
      folder,
      'endpoints.json',
    )

    test('every offer has a call', () => {
      const called = new Set(
        fixtures.filter(({ call }) => call !== undefined).map(({ request }) => request.model),
      )
      assert.deepEqual(
        Object.keys(provider.offers).filter((model) => !called.has(model)),
        [],
      )
    })

    test('no two calls have the same name', () => {
      assert.equal(new Set(fixtures.map(({ name }) => name)).size, fixtures.length)
    })

    for (const { name, request, call, refuses, ...circumstances } of fixtures) {
      test(name, () => {
        const admitted = admit(request)
        assert(admitted.ok, `not admitted: ${JSON.stringify(admitted)}`)
        assert(
          admitted.model.providers.includes(provider.name),
          `${request.model} does not list ${provider.name}`,
        )
        const offer = provider.offers[admitted.model.id]
        assert(offer !== undefined, `no offer for ${request.model}`)
        assert.equal(offer.refuses?.(admitted.input), refuses)
        if (refuses !== undefined) return
        const order = orderFor(provider, admitted.input, circumstances)
        assert.deepEqual(wired(provider.submit(offer, order)), call)
        const id = endpointOf(offer, offer.translate(admitted.input).endpoint)
        // A setting may lead to another endpoint than the input alone does.
        const shape = endpoints[call?.path ?? ''] ?? endpoints[id]
        assert(shape !== undefined, `endpoints.json does not describe ${id}`)
        assert.deepEqual(misshapen(bodyOf(call), shape), [])
      })
    }
  })
}

function endpointOf(offer: Offer, variant: string): string {
  const id = offer.endpoints[variant]
  assert(id !== undefined, `the offer has no endpoint ${variant}`)
  return id
}

/** The fields of a call; some upstreams take a list of one task. */
function bodyOf(call: Call | undefined): unknown {
  const body = call?.json ?? call?.form ?? {}
  return Array.isArray(body) && body.length === 1 ? body[0] : body
}
