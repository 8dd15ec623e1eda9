import {
  accepted,
  chunked,
  field,
  get,
  type HostileInput,
  job,
  library,
  ok,
  operator,
  pixel,
  raw,
  rawHead,
  rawJson,
  submit,
  webhooksRoute,
} from './input.ts'

export const validRequests: Readonly<Record<string, readonly HostileInput[]>> = {
  rest: [
    field('a public webhook', { webhookUrl: 'https://a.example/hook?token=x' }, accepted),
    field('a webhook of version 6', { webhookUrl: 'http://[2606:4700::1]/' }, accepted),
    submit('the default webhook, removed', { url: null }, ok, webhooksRoute),
    library('a file', [['file', pixel, 'a b (1) ü 🚣.png']], { status: 201 }),
    library(
      'a file with fields, under another name',
      [
        ['x', '1'],
        ['upload', pixel, 'a.png'],
        ['y', '2'],
      ],
      { status: 201 },
    ),
    submit(
      'an operation ID',
      { name: 'x', rpm: 5, balanceUsd: null },
      { status: 201 },
      { ...operator, headers: { 'idempotency-key': 'k' } },
    ),
    submit('a name of 100 emoji', { name: '🚣'.repeat(100) }, { status: 201 }, operator),
    submit('an Idempotency-Key of 255 characters', job, accepted, {
      headers: { 'idempotency-key': `a ${'~'.repeat(253)}` },
    }),
    submit('an Idempotency-Key again', job, accepted, { headers: { 'idempotency-key': 'used-before' } }),
    submit('unknown preferences', job, accepted, {
      headers: { prefer: 'wait=99999, respond-async, handling=other, ,=;"' },
    }),
    submit('a preference that never ends', job, accepted, { headers: { prefer: 'handling="strict' } }),
    submit('unknown headers', job, accepted, {
      headers: { 'x-provider': '../..', 'x-billing-mode': '\u00ff', moderation: 'true' },
    }),
    submit('two keys', job, accepted, { headers: { authorization: 'Bearer another-key' } }),
    submit('a path with slashes', rawJson, accepted, { path: '//api//generate-video/' }),
    submit('a path with a query', rawJson, accepted, { path: '/api/generate-video?a[]=1&a[]=2&__proto__=x' }),
    submit('a path that is escaped', rawJson, accepted, { path: '/api/%67enerate-video' }),
    get('an ID under two names', '/api/video/status?runId={job}&requestId={job}', ok),
    get(
      'an ID and unused parameters',
      '/api/video/status?runId={job}&model=x&projectId=%20&cost=-1&wait=abc',
      ok,
    ),
    get(
      'limits beyond the range',
      '/api/generate-video/recover?limit=-5&model=__proto__&conversationUUID=%00'.replace('%00', '%20'),
      ok,
    ),
    get('a limit of the library', '/api/library?limit=1e9', ok),
    submit('a status of an unknown task of Midjourney', { task_id: 'no-such-task' }, ok, {
      path: '/api/check-midjourney-status',
    }),
    raw(
      'chunks',
      rawHead(...chunked, 'Connection: close'),
      accepted,
      `5\r\n${rawJson.slice(0, 5)}\r\n${(rawJson.length - 5).toString(16)};x=y\r\n${rawJson.slice(5)}\r\n0\r\nX-T: 1\r\n\r\n`,
    ),
    raw(
      'an expectation to go on',
      rawHead(`Content-Length: ${rawJson.length}`, 'Expect: 100-continue', 'Connection: close'),
      accepted,
      rawJson,
    ),
    raw(
      'an upgrade',
      rawHead(`Content-Length: ${rawJson.length}`, 'Upgrade: h2c', 'Connection: upgrade, close'),
      accepted,
      rawJson,
    ),
    raw('HTTP/1.0', ['GET /health HTTP/1.0'], ok),
    raw(
      'an absolute address',
      ['GET http://gateway/health HTTP/1.1', 'Host: gateway', 'Connection: close'],
      ok,
    ),
  ],
}
