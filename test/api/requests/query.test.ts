import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../../../src/api/errors.ts'
import {
  enumListParameter,
  enumParameter,
  integerParameter,
  lenientBooleanParameter,
  lenientIntegerParameter,
  parseQuery,
  querySchema,
  textParameter,
} from '../../../src/api/requests/query.ts'

const bounds = { minimum: 1, maximum: 100, default: 20 }
const schema = querySchema({
  days: integerParameter(bounds),
  limit: integerParameter(bounds, { isCapped: true }),
  count: lenientIntegerParameter(bounds),
  detailed: lenientBooleanParameter(true),
  variant: enumParameter(['video', 'thumbnail'], 'video'),
  model: textParameter(),
})
const defaults = {
  days: 20,
  limit: 20,
  count: 20,
  detailed: true,
  variant: 'video',
  model: undefined,
}

test('absent, empty and repeated parameters get their defaults', () => {
  assert.deepEqual(parseQuery(schema, {}), defaults)
  assert.deepEqual(parseQuery(schema, { days: '', model: '' }), defaults)
  assert.deepEqual(parseQuery(schema, { days: ['1', '2'] }), defaults)
})

test('texts become numbers, booleans and enum values', () => {
  const query = {
    days: '7',
    limit: '1000',
    count: '-3.5',
    detailed: 'No',
    variant: ' Thumbnail ',
    model: 'x',
  }
  assert.deepEqual(parseQuery(schema, query), {
    days: 7,
    limit: 100,
    count: 1,
    detailed: false,
    variant: 'thumbnail',
    model: 'x',
  })
  const lenient = parseQuery(schema, { count: 'many', detailed: 'perhaps' })
  assert.deepEqual([lenient.count, lenient.detailed], [20, true])
})

test('other parameters stay as they were sent', () => {
  assert.deepEqual(parseQuery(schema, { runId: ['a', 'b'] }), { ...defaults, runId: ['a', 'b'] })
})

for (const [name, value, message] of [
  ['days', '101', '`days` must be a whole number from 1 to 100'],
  ['days', '1.5', '`days` must be a whole number from 1 to 100'],
  ['limit', '0', '`limit` must be a whole number from 1 to 100'],
  ['variant', 'audio', '`variant` must be one of video, thumbnail; got "audio"'],
] as const) {
  test(`${name}=${value} is rejected`, () => {
    assert.throws(
      () => parseQuery(schema, { [name]: value }),
      (error) =>
        error instanceof ApiError &&
        error.code === 'invalid_parameter_value' &&
        error.param === name &&
        error.message === message,
    )
  })
}

test('a list is separated by commas or repeated', () => {
  const listSchema = querySchema({ state: enumListParameter(['queued', 'failed']) })
  const statesIn = (state: unknown) => parseQuery(listSchema, { state }).state
  assert.deepEqual(statesIn(undefined), [])
  assert.deepEqual(statesIn(''), [])
  assert.deepEqual(statesIn('failed, queued,'), ['failed', 'queued'])
  assert.deepEqual(statesIn(['queued', 'failed']), ['queued', 'failed'])
  assert.throws(() => statesIn(['queued', 'done']), /`state` must be one of queued, failed; got "done"/)
})
