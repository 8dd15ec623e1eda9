import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { providers } from '../../providers/index.ts'
import type { Input } from '../../providers/input.ts'
import type { EndpointMapping, Provider, ProviderName } from '../../providers/provider.ts'
import { formatStoredReference } from '../../src/catalogue/media-values/stored-reference.ts'
import type { Model } from '../../src/catalogue/model.ts'
import type { ProviderConfig } from '../../src/config/provider-settings.ts'
import { readOverrides, type UpstreamOverrides } from '../../src/upstreams/overrides.ts'
import { createRouting } from '../../src/upstreams/routing.ts'
import { createCleanup, temporaryFolder } from '../support/setup.ts'

const mappingOf = (changes: Partial<EndpointMapping> = {}): EndpointMapping => ({
  endpoints: { text: 'original', image: 'picture' },
  toRequest: () => ({ endpoint: 'text', body: {} }),
  ...changes,
})

type Check = NonNullable<Provider['check']>

function providerOf(
  name: ProviderName,
  mapping: EndpointMapping | undefined,
  mediaTransfer: ReturnType<Provider['mediaTransfer']> = 'inline',
  check: Check = () => [],
): Provider {
  return {
    ...providers[name],
    title: name.toUpperCase(),
    hosts: {
      api: {
        baseUrlVariable: `${name}_URL`,
        credentials: [`${name}_KEY`, `${name}_SECRET`],
        sign: () => ({}),
      },
      other: { baseUrlVariable: `${name}_OTHER_URL`, credentials: [], sign: () => ({}) },
    },
    models: mapping === undefined ? {} : { movie: mapping },
    mediaTransfer: () => mediaTransfer,
    check,
  }
}

const model = { id: 'movie', providers: ['fal', 'runware', 'wavespeed'] } as unknown as Model
const configured = (name: string): ProviderConfig => ({
  baseUrls: { api: 'http://a.example', other: 'http://b.example' },
  credentials: { [`${name}_KEY`]: 'k', [`${name}_SECRET`]: 's' },
  settings: {},
})

type Options = {
  mappings?: Partial<Record<ProviderName, EndpointMapping | undefined>>
  mediaTransfer?: ReturnType<Provider['mediaTransfer']>
  configs?: Partial<Record<ProviderName, ProviderConfig>>
  overrides?: UpstreamOverrides
  canFetchLinks?: boolean
  checks?: Partial<Record<ProviderName, Check>>
}

function create({ mappings = {}, mediaTransfer, configs = {}, checks = {}, ...rest }: Options = {}) {
  const names = ['fal', 'runware', 'wavespeed', 'magicapi'] as const
  const made = {
    fal: mappingOf(),
    runware: mappingOf(),
    wavespeed: mappingOf(),
    magicapi: mappingOf(),
    ...mappings,
  }
  return createRouting({
    providers: Object.fromEntries(
      names.map((name) => [name, providerOf(name, made[name], mediaTransfer, checks[name])]),
    ) as never,
    upstreams: Object.fromEntries(names.map((name) => [name, configs[name] ?? configured(name)])) as never,
    ...rest,
  })
}

const input: Input = { prompt: 'a boat' }
const stored: Input = {
  image: formatStoredReference({ hash: 'a'.repeat(64), bytes: 5, contentType: 'image/png' }),
}

describe('the upstreams of a job', () => {
  it('are those of the model, in its order', () => {
    const routing = create()
    assert.deepEqual(routing.listUpstreams(model, input), ['fal', 'runware', 'wavespeed'])
    assert.equal(routing.isAvailable(model), true)
    assert.deepEqual(routing.describeMissingVariables(model), [])
  })

  it('are those that have the model', () => {
    const routing = create({ mappings: { fal: undefined } })
    assert.deepEqual(routing.listUpstreams(model, input), ['runware', 'wavespeed'])
    assert.equal(routing.find(model, 'fal'), undefined)
    assert.equal(routing.find(model, 'runware')?.provider.title, 'RUNWARE')
  })

  it('are those that have their keys and a base URL', () => {
    const bare = (name: string, changes: Partial<ProviderConfig>) => ({ ...configured(name), ...changes })
    const routing = create({
      configs: {
        fal: bare('fal', { credentials: { fal_KEY: 'k' } }),
        runware: bare('runware', { baseUrls: {}, credentials: {} }),
      },
    })
    assert.deepEqual(routing.listUpstreams(model, input), ['wavespeed'])
    assert.deepEqual(routing.describeMissingVariables(model), [
      'FAL: fal_SECRET',
      'RUNWARE: runware_URL and runware_KEY and runware_SECRET',
    ])
    assert.equal(routing.isAvailable(model), true)
  })

  it('are empty if no upstream has its keys', () => {
    const none = { baseUrls: { api: 'http://a.example' }, credentials: {}, settings: {} }
    const routing = create({ configs: { fal: none, runware: none, wavespeed: none } })
    assert.equal(routing.isAvailable(model), false)
    assert.deepEqual(routing.listUpstreams(model, input), [])
    assert.equal(routing.describeMissingVariables(model).length, 3)
  })

  it('need what the host of their endpoint needs', () => {
    const none = { baseUrls: { other: 'http://b.example' }, credentials: {}, settings: {} }
    const routing = create({ mappings: { fal: mappingOf({ host: 'other' }) }, configs: { fal: none } })
    assert.equal(routing.listUpstreams(model, input)[0], 'fal')
    const unheard = create({ mappings: { fal: mappingOf({ host: 'unheard-of' }) }, configs: { fal: none } })
    assert.equal(unheard.listUpstreams(model, input)[0], 'fal')
  })

  it('are those that can render the input; otherwise the first reason is returned', () => {
    const unsupported = ({ prompt }: Input) => (prompt === undefined ? undefined : 'no words')
    const some = create({ mappings: { fal: mappingOf({ unsupported }) } })
    assert.deepEqual(some.listUpstreams(model, input), ['runware', 'wavespeed'])
    assert.deepEqual(some.listUpstreams(model, {}), ['fal', 'runware', 'wavespeed'])
    assert.equal(some.rejectionMessage(model, input), 'no words')
    assert.equal(some.rejectionMessage(model, {}), undefined)
    const keyless = { baseUrls: { api: 'http://a.example' }, credentials: {}, settings: {} }
    const other = create({ mappings: { fal: mappingOf({ unsupported }) }, configs: { fal: keyless } })
    assert.equal(other.rejectionMessage(model, input), undefined)
  })

  it('are those whose schema accepts the input; otherwise the first reason is returned', () => {
    const short: Check = (_offer, { prompt = '' }) =>
      prompt.length < 9 ? [{ field: 'prompt', message: '`prompt` must be longer' }] : []
    const some = create({ checks: { fal: short } })
    assert.deepEqual(some.listUpstreams(model, input), ['runware', 'wavespeed'])
    assert.deepEqual(some.listUpstreams(model, { prompt: 'a long boat' }), ['fal', 'runware', 'wavespeed'])
    assert.equal(some.rejectionMessage(model, input), '`prompt` must be longer')
  })

  it('share one seed if none supports the requested one', () => {
    const upTo =
      (min: number, max: number): Check =>
      (_offer, { seed = min }) =>
        seed < min || seed > max ? [{ field: 'seed', message: 'another seed', seeds: { min, max } }] : []
    const no: Check = () => [{ message: 'no boats' }]
    const checks = { fal: upTo(0, 99), runware: upTo(1, 49), wavespeed: no }
    const routing = create({ checks })
    assert.deepEqual(routing.adjustSeed(model, { ...input, seed: 1234 }), {
      seed: 1 + (1234 % 49),
      min: 1,
      max: 49,
    })
    assert.equal(routing.adjustSeed(model, { ...input, seed: 60 }), undefined)
    assert.equal(routing.adjustSeed(model, input), undefined)
    assert.equal(
      create({ checks: { fal: no, runware: no, wavespeed: no } }).adjustSeed(model, { seed: 5 }),
      undefined,
    )
    const keyless = { baseUrls: {}, credentials: {}, settings: {} }
    const one = create({ checks, configs: { runware: keyless } })
    assert.equal(one.adjustSeed(model, { ...input, seed: 1234 })?.seed, 34)
  })

  it('are those that can receive our files', () => {
    assert.deepEqual(create({ mediaTransfer: 'link' }).listUpstreams(model, stored), [])
    assert.equal(
      create({ mediaTransfer: 'link', canFetchLinks: true }).listUpstreams(model, stored).length,
      3,
    )
    assert.equal(
      create({ mediaTransfer: 'link' }).listUpstreams(model, { image: 'https://a.example/b.png' }).length,
      3,
    )
    for (const mediaTransfer of ['inline', 'upload'] as const)
      assert.equal(create({ mediaTransfer }).listUpstreams(model, stored).length, 3)
  })
})

describe('the operator’s changes to the upstreams', () => {
  it('come first, in the given order', () => {
    const overrides = { movie: [{ provider: 'wavespeed' }, { provider: 'magicapi' }] }
    assert.deepEqual(create({ overrides }).listUpstreams(model, input), [
      'wavespeed',
      'magicapi',
      'fal',
      'runware',
    ])
  })

  it('switch upstreams off', () => {
    const overrides = {
      movie: [
        { provider: 'fal', enabled: false },
        { provider: 'runware', enabled: true },
      ],
    }
    assert.deepEqual(create({ overrides }).listUpstreams(model, input), ['runware', 'wavespeed'])
  })

  it('replace single endpoints', () => {
    const overrides = {
      movie: [{ provider: 'fal', endpoints: { text: 'changed' } }],
      other: [{ provider: 'runware', endpoints: { text: 'x' } }],
    }
    const routing = create({ overrides })
    assert.deepEqual(routing.find(model, 'fal')?.mapping.endpoints, { text: 'changed', image: 'picture' })
    assert.deepEqual(routing.find(model, 'runware')?.mapping.endpoints, {
      text: 'original',
      image: 'picture',
    })
  })
})

describe('the file with the operator’s changes', () => {
  const cleanup = createCleanup()
  let path = ''
  before(async () => {
    path = join(await temporaryFolder(cleanup), 'offers.json')
  })
  after(() => cleanup.run())

  const read = async (content: unknown) => {
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
    return readOverrides(path, providers)
  }
  const rejects = (content: unknown, ...problems: RegExp[]) =>
    assert.rejects(read(content), (cause: Error) => {
      assert.equal(cause.name, 'InvalidOverrides')
      for (const problem of [new RegExp(path), ...problems]) assert.match(cause.message, problem)
      return true
    })

  it('is parsed', async () => {
    const content = { 'kling-video': [{ provider: 'fal', enabled: false, endpoints: { text: 'fal-ai/x' } }] }
    assert.deepEqual(await read(content), content)
    assert.deepEqual(await read({}), {})
  })

  it('is rejected if it is invalid JSON or missing', async () => {
    await rejects('{', /JSON/)
    assert.throws(() => readOverrides(`${path}.absent`, providers), /absent.*ENOENT/)
  })

  it('is rejected with the path of every invalid value', async () => {
    await rejects([], / {2}- \/: /)
    await rejects(
      { 'kling-video': [{ provider: 7 }, { provider: 'fal', extra: 1 }], 'veo3-video': {} },
      /- \/kling-video\/0\/provider: /,
      /- \/kling-video\/1\/extra: /,
      /- \/veo3-video: /,
    )
    await rejects({ 'kling-video': [{ provider: 'fal', endpoints: { text: '' } }] }, /endpoints\/text: /)
  })

  it('is rejected with unknown models, upstreams of a model and endpoints', async () => {
    await rejects(
      {
        'no-model': [],
        'kling-video': [{ provider: 'fal', endpoints: { fly: 'x', text: 'y' } }, { provider: 'longstories' }],
      },
      /- \/no-model: /,
      /- \/kling-video\/0\/endpoints\/fly: .*text/,
      /- \/kling-video\/1\/provider: longstories .*fal/,
    )
    await assert.rejects(
      read({ 'kling-video': [{ provider: 'fal', endpoints: { fly: 'x', text: 'y' } }] }),
      (cause: Error) => !/endpoints\/text/.test(cause.message),
    )
  })
})
