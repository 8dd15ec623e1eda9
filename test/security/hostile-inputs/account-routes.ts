import {
  form,
  get,
  type HostileInput,
  invalid,
  job,
  keysPath,
  largeImage,
  library,
  loneSurrogate,
  modelPart,
  noJson,
  notFound,
  operator,
  promptPart,
  refused,
  submit,
} from './input.ts'

// Upstream callbacks, and files under secret addresses.
export const secrets: readonly HostileInput[] = [
  submit('a callback for an unknown job', {}, notFound, {
    as: 'anonymous',
    path: '/hooks/vid_unknown/secret',
  }),
  submit('a callback with a wrong secret', {}, notFound, { as: 'anonymous', path: '/hooks/{job}/wrong' }),
  submit('a callback of 60 kB', { x: 'x'.repeat(60_000) }, notFound, {
    as: 'anonymous',
    path: '/hooks/{job}/wrong',
  }),
  submit('a callback of 1 MB', { x: 'x'.repeat(1_000_000) }, notFound, {
    as: 'anonymous',
    path: '/hooks/{job}/wrong',
  }),
  submit('a callback that is no JSON', '<<<', notFound, { as: 'anonymous', path: '/hooks/{job}/wrong' }),
  submit('a callback to a path', {}, notFound, { as: 'anonymous', path: '/hooks/..%2f/..%2f' }),
  submit('a callback to a NUL', {}, notFound, { as: 'anonymous', path: '/hooks/%00/%00' }),
  get('a callback by GET', '/hooks/{job}/secret', refused(405, 'method_not_allowed'), { as: 'anonymous' }),
  get('an unknown file', `/files/${'0'.repeat(40)}.mp4`, notFound, { as: 'anonymous' }),
  get('a file that is a path', '/files/..%2f..%2fetc%2fpasswd', notFound, { as: 'anonymous' }),
  get('a file that is a path, escaped twice', '/files/..%252f..%252fetc%252fpasswd', notFound, {
    as: 'anonymous',
  }),
  get('a file with a NUL', '/files/a%00.mp4', { status: 404 }, { as: 'anonymous' }),
  get('media of a wrong signature', '/media/W10.AAAA.png', notFound, { as: 'anonymous' }),
  get('media that is a path', '/media/../../etc/passwd', notFound, { as: 'anonymous' }),
  get('media of a long name', `/media/${'a'.repeat(9000)}`, notFound, { as: 'anonymous' }),
]

// Keys, and the routes of the operator.
const account = { as: 'operator' as const, method: 'PATCH', path: `${keysPath}/{account}` }
export const admin: readonly HostileInput[] = [
  submit('no key', job, refused(401, 'missing_api_key'), { as: 'anonymous' }),
  submit('a wrong key', job, refused(401, 'invalid_api_key'), {
    as: 'anonymous',
    headers: { 'x-api-key': 'sk-reelgate-wrong' },
  }),
  submit('an empty key', job, refused(401, 'missing_api_key'), {
    as: 'anonymous',
    headers: { 'x-api-key': '' },
  }),
  submit('a key of 8000 characters', job, refused(401, 'invalid_api_key'), {
    as: 'anonymous',
    headers: { 'x-api-key': 'k'.repeat(8000) },
  }),
  submit('a key of the prototype', job, refused(401, 'invalid_api_key'), {
    as: 'anonymous',
    headers: { 'x-api-key': '__proto__' },
  }),
  submit('a key that is no ASCII', job, refused(401, 'invalid_api_key'), {
    as: 'anonymous',
    headers: { authorization: 'Bearer ü\u00ff' },
  }),
  submit('Basic instead of Bearer', job, refused(401, 'missing_api_key'), {
    as: 'anonymous',
    headers: { authorization: 'Basic dTpw' },
  }),
  submit('a large body without a key', { ...job, x: 'x'.repeat(500_000) }, refused(401, 'missing_api_key'), {
    as: 'anonymous',
  }),
  {
    ...form(
      'a file without a key',
      [modelPart, promptPart, ['image', largeImage, 'a.png']],
      refused(401, 'missing_api_key'),
    ),
    as: 'anonymous',
  },
  {
    ...library(
      'a file for the library without a key',
      [['file', largeImage, 'a.png']],
      refused(401, 'missing_api_key'),
    ),
    as: 'anonymous',
  },
  get('a key of a caller for the operator', keysPath, refused(401, 'invalid_api_key')),
  get('no key for the operator', keysPath, refused(401, 'missing_api_key'), { as: 'anonymous' }),
  submit('a key without a body', '', invalid(), operator),
  submit('a key without a name', {}, invalid('name'), operator),
  submit('an array', [], invalid(), operator),
  submit('an empty name', { name: '' }, invalid('name'), operator),
  submit('a name of 101 characters', { name: 'x'.repeat(101) }, invalid('name'), operator),
  submit('a name that is a number', { name: 5 }, invalid('name'), operator),
  submit('a name with a NUL', { name: 'a\0b' }, invalid('name'), operator),
  submit('a name with a lone surrogate', { name: loneSurrogate }, invalid('name'), operator),
  submit('an unknown field', { name: 'x', admin: true }, invalid('admin'), operator),
  submit('`__proto__`', '{"name":"x","__proto__":{"rpm":1}}', noJson, operator),
  submit('a rate of 0', { name: 'x', rpm: 0 }, invalid('rpm'), operator),
  submit('a rate of 1.5', { name: 'x', rpm: 1.5 }, invalid('rpm'), operator),
  submit('a rate that is a text', { name: 'x', rpm: '5' }, invalid('rpm'), operator),
  submit('a negative balance', { name: 'x', balanceUsd: -1 }, invalid('balanceUsd'), operator),
  submit('a balance of 1e10', { name: 'x', balanceUsd: 1e10 }, invalid('balanceUsd'), operator),
  submit('a balance of 1e400', '{"name":"x","balanceUsd":1e400}', invalid('balanceUsd'), operator),
  submit('a limit of 2^53 + 1', '{"name":"x","dailyUsd":9007199254740993}', invalid('dailyUsd'), operator),
  submit('a bad operation ID', { name: 'x' }, invalid('Idempotency-Key'), {
    ...operator,
    headers: { 'idempotency-key': 'ü' },
  }),
  submit('a top-up of 0', { topUpUsd: 0 }, invalid('topUpUsd'), account),
  submit('a top-up of 1e-9', { topUpUsd: 1e-9 }, invalid('topUpUsd'), account),
  submit('a top-up of 1e10', { topUpUsd: 1e10 }, invalid('topUpUsd'), account),
  submit('a note alone', { note: 'x' }, invalid('note'), account),
  submit('a note with a lone surrogate', { topUpUsd: 1, note: loneSurrogate }, invalid('note'), account),
  submit('a note of 60 kB', { topUpUsd: 1, note: 'x'.repeat(60_000) }, invalid('note'), account),
  submit('a change of an unknown key', { rpm: 5 }, notFound, { ...account, path: `${keysPath}/unknown` }),
  submit('a change of the prototype', { rpm: 5 }, notFound, { ...account, path: `${keysPath}/__proto__` }),
  get('an unknown key', `${keysPath}/unknown`, notFound, { as: 'operator' }),
  get('a key that is a path', `${keysPath}/..%2f..%2fkey-hashes`, notFound, { as: 'operator' }),
  get('the ledger of an unknown key', `${keysPath}/unknown/ledger`, notFound, { as: 'operator' }),
  {
    ...get('a deletion of an unknown key', `${keysPath}/unknown`, notFound, { as: 'operator' }),
    method: 'DELETE',
  },
  get('usage of 0 days', '/api/admin/usage?days=0', invalid('days'), { as: 'operator' }),
  get('usage of 1e9 days', '/api/usage?days=1e9', invalid('days')),
  submit(
    'a decision for nothing',
    { decision: 'release' },
    { status: 404 },
    { as: 'operator', path: '/api/admin/unknown/vid_unknown' },
  ),
  submit('an unknown decision', { decision: 'steal' }, invalid('decision'), {
    as: 'operator',
    path: '/api/admin/unknown/vid_unknown',
  }),
]
