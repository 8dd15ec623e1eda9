import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { providers } from '../../providers/index.ts'
import type { Field } from '../../providers/input.ts'
import type { Outcome, ProviderName } from '../../providers/provider.ts'
import type { Mode, Model } from '../../src/catalogue/model.ts'
import { models } from '../../src/catalogue/models/index.ts'
import { listRules } from '../../src/catalogue/rules.ts'
import { validateForModel } from '../../src/catalogue/validation/validate.ts'
import { createRouting } from '../../src/upstreams/routing.ts'
import { boundaryValues, smallestRequest } from './boundary-values.ts'
import { configOf, createMockUpstreams } from './mock-upstreams.ts'

/*
 * Whatever the catalogue accepts and the router gives to an upstream, that upstream's mock takes and renders: with the keys of that
 * upstream alone, so that nothing can be left to another one.
 */

type Request = Readonly<Record<string, unknown>>
type Case = { model: Model; mode: Mode; name: ProviderName; settings: Readonly<Record<string, string>> }

/** Each way in which an upstream is configured leads to other endpoints. */
const variants: Readonly<Partial<Record<ProviderName, readonly Record<string, string>[]>>> = {
  longstories: [{}, { LONGSTORIES_MOVIE_SLUG: 'movies', LONGSTORIES_PIXEL_ART_SLUG: 'pixels' }],
  magicapi: [{ MAGICAPI_FLAVOR: 'v3' }, { MAGICAPI_FLAVOR: 'capix' }],
}

const cases: readonly Case[] = models.flatMap((model) =>
  model.providers.flatMap((name) =>
    model.modes.flatMap((mode) =>
      (variants[name] ?? [{}]).map((settings) => ({ model, mode, name, settings })),
    ),
  ),
)

let vendors: Awaited<ReturnType<typeof createMockUpstreams>>
/** What an upstream was asked for already: most values are normalized to the same few. */
const rendered = new Set<string>()
const counts = { requests: 0, accepted: 0, rendered: 0 }

/** The routing of a gateway with one upstream's keys. */
const routingOf = ({ name, settings }: Case) =>
  createRouting({ providers, upstreams: configOf([name], settings) as never, canFetchLinks: true })

/** Fails where the upstream rejects what the gateway accepted. */
async function check(
  one: Case,
  routing: ReturnType<typeof routingOf>,
  request: Request,
  handlings: readonly ('lenient' | 'strict')[] = ['lenient'],
): Promise<void> {
  counts.requests += 1
  for (const handling of handlings) {
    const admitted = validateForModel(one.model, request, { handling })
    if (!admitted.ok) continue
    const seed = routing.adjustSeed(one.model, admitted.input)?.seed
    const input = seed === undefined ? admitted.input : { ...admitted.input, seed }
    if (!routing.listUpstreams(one.model, input).includes(one.name)) {
      assert.match(
        routing.rejectionMessage(one.model, input) ?? '',
        /\S/,
        `no reason is given for ${JSON.stringify(request)}`,
      )
      continue
    }
    counts.accepted += 1
    const provider = providers[one.name]
    const mapping = provider.models[one.model.id]
    assert(mapping !== undefined)
    const { settings } = configOf([], one.settings)[one.name] ?? { settings: {} }
    const attempt = `00000000-0000-4000-8000-${String(rendered.size).padStart(12, '0')}`
    const order = { jobId: 'vid_1', attempt, input, at: new Date(0), settings }
    const key = JSON.stringify([one.name, provider.submit(mapping, { ...order, attempt: '' })])
    if (rendered.has(key)) continue
    rendered.add(key)
    counts.rendered += 1
    const outcome = await vendors.order(provider, mapping, order)
    const isTaken = outcome.kind === 'done' || (outcome.kind === 'running' && one.name !== 'fal')
    assert.ok(isTaken, `${one.name} rejects ${key}, asked as ${show(request)}: ${faultOf(outcome)}`)
  }
}

function faultOf(outcome: Outcome): string {
  return 'fault' in outcome ? `${outcome.fault.code}: ${outcome.fault.message}` : outcome.kind
}

function show(request: Request): string {
  return JSON.stringify(request).slice(0, 400)
}

describe('what is accepted, the upstream takes', () => {
  before(async () => {
    vendors = await createMockUpstreams()
  })
  after(() => vendors.close())

  for (const one of cases) {
    const { model, mode, name, settings } = one
    it(`${model.id} (${mode}) at ${name} ${Object.values(settings).join(' ')}: boundary values of each field`, async () => {
      const routing = routingOf(one)
      const request = smallestRequest(model, mode)
      await check(one, routing, request)
      for (const [field, rule] of listRules(model, mode)) {
        for (const value of boundaryValues(field, rule))
          await check(one, routing, { ...request, [field]: value })
      }
    })
  }

  it('boundary values of several fields together', async () => {
    const routing = new Map(cases.map((one) => [one, routingOf(one)]))
    await fc.assert(
      fc.asyncProperty(requests(), async ({ one, request }) => {
        const own = routing.get(one)
        if (own !== undefined) await check(one, own, request, ['lenient', 'strict'])
      }),
      { numRuns: 700, seed: 15 },
    )
  })

  it('many requests were checked', () => {
    assert.ok(counts.accepted > 5000 && counts.rendered > 1500, JSON.stringify(counts))
  })
})

function requests() {
  return fc.constantFrom(...cases).chain((one) => {
    const rules = [...listRules(one.model, one.mode)]
    const values = rules.map(([field, rule]): [Field, fc.Arbitrary<unknown>] => [
      field,
      fc.constantFrom(...boundaryValues(field, rule)),
    ])
    return fc
      .record(Object.fromEntries(values), { requiredKeys: [] })
      .map((chosen) => ({ one, request: { ...smallestRequest(one.model, one.mode), ...chosen } }))
  })
}
