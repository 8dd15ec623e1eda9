import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Input } from '../../providers/input.ts'
import type {
  EndpointMapping,
  Media,
  Outcome,
  Provider,
  Reply,
  TaskReference,
} from '../../providers/provider.ts'
import { validateRequest } from '../../src/catalogue/validation/validate.ts'
import type { Circumstances } from './fixtures.ts'
import { folders, orderFor, providerOf, readFixture, wired } from './fixtures.ts'

type ReplyFixture = Circumstances & {
  name: string
  of: 'submit' | 'poll' | 'find' | 'upload'
  reply: Pick<Reply, 'status' | 'body'> & Partial<Reply>
  ticket?: TaskReference
  /** Whose answer it is, where that matters. */
  request?: Readonly<Record<string, unknown>>
  media?: Media
  outcome: { kind: string; fault?: { code: string } }
}

const image: Media = { kind: 'image', contentType: 'image/png', bytes: 1000, filename: 'image.png' }

/** What every provider's fixtures show, each somewhere. */
const codes = ['content_policy', 'invalid_input', 'rate_limited', 'no_credit', 'bad_credentials']

/** Bodies that no upstream should send, and all of them do some day. */
const garbage = [
  undefined,
  null,
  '',
  '<html><body>502 Bad Gateway</body></html>',
  0,
  true,
  [],
  [null],
  {},
  { data: null },
  { data: [{}], error: [], errors: {}, message: 0, status: {}, code: [], detail: 7, result: 'x', task: [] },
  {
    status: 'COMPLETED',
    video: { url: 'javascript:alert(1)' },
    output: { url: 7 },
    videoURL: ['x'],
    url: '/x',
  },
  { errors: [null, 7], detail: [null, { loc: 'x', msg: {}, type: [] }], error: { code: {}, message: [] } },
]
const statuses = [
  200, 201, 202, 204, 302, 400, 401, 402, 403, 404, 408, 409, 422, 429, 499, 500, 502, 503, 504,
]

for (const folder of folders) {
  describe(folder, () => {
    const provider = providerOf(folder)
    const fixtures = readFixture<readonly ReplyFixture[]>(folder, 'replies.json')

    for (const { name, outcome, ...fixture } of fixtures) {
      test(name, () => assert.deepEqual(wired(readReply(provider, fixture)), outcome))
    }

    test('no two replies have the same name', () => {
      assert.equal(new Set(fixtures.map(({ name }) => name)).size, fixtures.length)
    })

    test('the replies show every way a job goes', () => {
      const shown = new Set(fixtures.map(({ outcome }) => outcome.fault?.code ?? outcome.kind))
      assert.deepEqual(
        ['running', 'done', ...codes].filter((one) => !shown.has(one)),
        [],
        `outcomes that no reply in test/fixtures/${folder}/replies.json has`,
      )
      assert(
        fixtures.some(({ reply }) => typeof reply.body !== 'object' || reply.body === null),
        'no reply that is not JSON',
      )
    })

    test('garbage is read without a throw, and never as a result', () => {
      const known = fixtures.map(({ of, ticket }) => ({ of, ticket }))
      for (const { of, ticket } of known) {
        for (const status of statuses) {
          for (const body of garbage) {
            const told = readReply(provider, {
              of,
              reply: { status, body },
              ...(ticket !== undefined && { ticket }),
            })
            assert.notEqual(told.kind, 'done')
            assert.notEqual(told.kind, 'uploaded')
            if (of === 'submit' && (status >= 500 || status < 400)) assertUncertain(told, status, body)
          }
        }
      }
    })

    test('a reply with any one field gone wrong is read without a throw', () => {
      for (const fixture of fixtures) {
        for (const body of spoiled(fixture.reply.body)) {
          assert.equal(
            typeof readReply(provider, { ...fixture, reply: { ...fixture.reply, body } }).kind,
            'string',
          )
        }
      }
    })
  })
}

type Told = { kind: string }

function readReply(provider: Provider, fixture: Omit<ReplyFixture, 'name' | 'outcome'>): Told | Outcome {
  const baseUrl = Object.values(provider.hosts)[0]?.baseUrl ?? 'https://upstream.example'
  const reply: Reply = { headers: {}, baseUrl, ...fixture.reply }
  if (fixture.of === 'poll') return provider.read(reply, fixture.ticket ?? {})
  if (fixture.of === 'upload') return need(provider.upload).read(reply, fixture.media ?? image)
  const { mapping, input } = asked(provider, fixture.request)
  const order = orderFor(provider, input, fixture)
  return fixture.of === 'submit'
    ? provider.accept(reply, order)
    : need(provider.find).read(reply, order, mapping)
}

/** What was asked for: the fixture's request, or anything at all where the answer does not depend on it. */
function asked(
  provider: Provider,
  request: ReplyFixture['request'],
): { mapping: EndpointMapping; input: Input } {
  if (request === undefined) return { mapping: need(Object.values(provider.models)[0]), input: {} }
  const admitted = validateRequest(request)
  assert(admitted.ok, `not admitted: ${JSON.stringify(admitted)}`)
  return { mapping: need(provider.models[admitted.model.id]), input: admitted.input }
}

function need<Thing>(thing: Thing | undefined): Thing {
  assert(thing !== undefined, 'the provider lacks what the fixture is for')
  return thing
}

/** After an answer that is neither yes nor no, another upstream must not be asked: the first may be at work. */
function assertUncertain(told: Told, status: number, body: unknown): void {
  assert.notEqual(
    told.kind,
    'failed',
    `a submit answered with ${status} ${JSON.stringify(body)} is not certain`,
  )
}

/** Copies of a body, each with one of its values replaced by another type. */
function* spoiled(body: unknown): Generator<unknown> {
  for (const other of [null, 7, 'x', [], {}]) yield other
  if (typeof body !== 'object' || body === null) return
  for (const [key, value] of Object.entries(body)) {
    for (const worse of spoiled(value)) {
      yield Array.isArray(body) ? body.with(Number(key), worse) : { ...body, [key]: worse }
    }
  }
}
