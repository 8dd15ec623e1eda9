import {
  badRequest,
  chunked,
  formHeaders,
  formOf,
  get,
  type HostileInput,
  invalid,
  job,
  largeImage,
  missing,
  modelPart,
  notFound,
  promptPart,
  raw,
  rawHead,
  rawJson,
  refused,
  submit,
  submitPath,
  videosRoute,
} from './input.ts'

// Headers of a submit.
export const headers: readonly HostileInput[] = [
  ...Object.entries({
    'of spaces': ' ',
    'of 256 characters': 'k'.repeat(256),
    'with an umlaut': 'schl\u00fcssel',
    'with a tab': 'a\tb',
  }).map(([name, key]) =>
    submit(`an Idempotency-Key ${name}`, job, invalid('Idempotency-Key'), {
      headers: { 'idempotency-key': key },
    }),
  ),
  submit(
    'a bad Idempotency-Key of a form',
    formOf([modelPart, promptPart, ['image', largeImage, 'a.png']]),
    invalid('Idempotency-Key'),
    {
      ...videosRoute,
      headers: { ...formHeaders, 'idempotency-key': 'ü' },
    },
  ),
  submit(
    'an Idempotency-Key for another body',
    { ...job, prompt: 'another one' },
    refused(422, 'idempotency_key_reused', 'Idempotency-Key'),
    {
      headers: { 'idempotency-key': 'used-before' },
    },
  ),
  submit('an Idempotency-Key of a body that is wrong', { model: 'minimax-video' }, missing('prompt'), {
    headers: { 'idempotency-key': 'fresh' },
  }),
  submit('a preference in another case', { ...job, duration: 999 }, invalid('duration'), {
    headers: { prefer: 'Handling="STRICT"; x=y' },
  }),
]

// Methods and paths.
export const paths: readonly HostileInput[] = [
  get('no such path', '/api/nothing', notFound),
  get('a path above the root', '/../../etc/passwd', notFound),
  get('a path above the root, escaped', '/%2e%2e/%2e%2e/etc/passwd', notFound),
  get('a path above the root, with backslashes', '/..\\..\\etc\\passwd', notFound),
  get('a path above that of static files', '/docs/static/..%2f..%2f..%2fpackage.json', notFound),
  get('a path above that of static files, plainly', '/docs/static/../../../package.json', notFound),
  get('a long path', `/api/${'a/'.repeat(4000)}`, notFound),
  get('a NUL', '/%00', notFound),
  get('an escape that is none', '/api/%zz', { status: 400 }),
  get(
    'a query of 5000 names',
    `/api/video/status?${Array.from({ length: 2000 }, (_, at) => `a${at}=1`).join('&')}`,
    missing('runId'),
  ),
  get('a GET of a submit', submitPath, refused(405, 'method_not_allowed')),
  { ...get('a PUT', submitPath, refused(405, 'method_not_allowed')), method: 'PUT', body: rawJson },
  {
    ...get('a PATCH of a job', '/api/jobs/{job}', refused(405, 'method_not_allowed')),
    method: 'PATCH',
    body: rawJson,
  },
  { ...get('a DELETE of a submit', submitPath, refused(405, 'method_not_allowed')), method: 'DELETE' },
  { ...get('a TRACE', submitPath, refused(405, 'method_not_allowed')), method: 'TRACE' },
  { ...get('a PROPFIND', submitPath, refused(405, 'method_not_allowed')), method: 'PROPFIND' },
  { ...get('a QUERY', submitPath, refused(405, 'method_not_allowed')), method: 'QUERY' },
  submit('a POST of a status', {}, refused(405, 'method_not_allowed'), { path: '/api/video/status' }),
  submit('a body of 2 MB for no path', 'x'.repeat(2_000_000), notFound, { path: '/api/nothing' }),
]

// What is no HTTP, or not all of it.
const head = (lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`
const formHead = (path: string) =>
  head([
    `POST ${path} HTTP/1.1`,
    'Host: a',
    'X-API-Key: {key}',
    `Content-Type: ${formHeaders['content-type']}`,
    'Content-Length: 900000',
  ])
const stopped: Readonly<Record<string, string>> = {
  'an empty line': '\r\n',
  'a head': `POST ${submitPath} HTTP/1.1\r\nHost: a\r\nX-API-K`,
  'a small body': head(rawHead('Content-Length: 60')) + rawJson.slice(0, 20),
  'a body in chunks': `${head(rawHead(...chunked))}5\r\n{"mod`,
  'a large body': `${head(rawHead('Content-Length: 900000'))}{"prompt":"${'x'.repeat(90_000)}`,
  'a large file in JSON': `${head(rawHead('Content-Length: 900000'))}{"image":"data:image/png;base64,${'QUJD'.repeat(60_000)}`,
  'a form':
    formHead('/v1/videos') +
    formOf([modelPart, promptPart, ['image', largeImage, 'a.png']]).toString('latin1', 0, 60_000),
  'a file for the library':
    formHead('/api/library') + formOf([['file', largeImage, 'a.png']]).toString('latin1', 0, 60_000),
}
export const http: readonly HostileInput[] = [
  raw('no HTTP', ['hello'], badRequest),
  raw('an unknown method', ['STEAL / HTTP/1.1', 'Host: a'], badRequest),
  raw('a lower-case method', ['get / HTTP/1.1', 'Host: a'], badRequest),
  raw('HTTP/2 without an agreement', ['PRI * HTTP/2.0', '', 'SM'], badRequest),
  raw('HTTP/9.9', ['GET / HTTP/9.9', 'Host: a'], badRequest),
  { name: 'TLS', raw: Buffer.from('16030100a5010000a10303', 'hex'), ...badRequest },
  raw('no host', ['GET /health HTTP/1.1'], refused(400, 'invalid_request', 'Host')),
  raw('a CONNECT', ['CONNECT a.example:443 HTTP/1.1', 'Host: a'], { status: 'closed' }),
  raw('a space in a name of a header', rawHead('Content-Length: 2', 'X Y: 1'), badRequest, '{}'),
  raw('a space before a colon', rawHead('Content-Length : 2'), badRequest, '{}'),
  raw('a header without a colon', rawHead('Content-Length: 2', 'nothing'), badRequest, '{}'),
  raw('a NUL in a header', rawHead('Content-Length: 2', 'X-A: a\0b'), badRequest, '{}'),
  raw('a folded header', rawHead('Content-Length: 2', 'X-A: a', ' b'), badRequest, '{}'),
  raw('two lengths', rawHead('Content-Length: 2', 'Content-Length: 3'), badRequest, '{}'),
  raw('a negative length', rawHead('Content-Length: -1'), badRequest, '{}'),
  raw('a length with a plus', rawHead('Content-Length: +2'), badRequest, '{}'),
  raw('a length in hexadecimal', rawHead('Content-Length: 0x2'), badRequest, '{}'),
  raw('a length beyond all numbers', rawHead('Content-Length: 99999999999999999999999'), badRequest, '{}'),
  raw('a length of 1 TB', rawHead('Content-Length: 1099511627776'), refused(413, 'payload_too_large'), '{'),
  raw('a length and chunks', rawHead('Content-Length: 2', ...chunked), badRequest, '0\r\n\r\n'),
  raw('an unknown transfer encoding', rawHead('Transfer-Encoding: cow'), badRequest, '{}'),
  raw('chunks of a wrong size', rawHead(...chunked), badRequest, 'zz\r\n{}\r\n0\r\n\r\n'),
  raw(
    'chunks of a size beyond all numbers',
    rawHead(...chunked),
    badRequest,
    'fffffffffffffffff\r\n{}\r\n0\r\n\r\n',
  ),
  raw('a chunk that is longer than it says', rawHead(...chunked), badRequest, '1\r\n{}\r\n0\r\n\r\n'),
  raw('headers of 20 kB', rawHead(`X-A: ${'a'.repeat(20_000)}`), refused(431, 'payload_too_large')),
  raw(
    'a path of 20 kB',
    [`GET /${'a'.repeat(20_000)} HTTP/1.1`, 'Host: a'],
    refused(431, 'payload_too_large'),
  ),
  raw('a body that ends early', rawHead(`Content-Length: ${rawJson.length + 5}`), badRequest, rawJson),
  raw('chunks that end early', rawHead(...chunked), badRequest, '5\r\n{"mod'),
  { name: 'a head that ends early', raw: `POST ${submitPath} HTTP/1.1\r\nHost: a\r\nX-API-K`, ...badRequest },
  ...Object.entries(stopped).map(
    ([name, raw]): HostileInput => ({ name: `${name} whose sender is gone`, raw, status: 'closed' }),
  ),
]
