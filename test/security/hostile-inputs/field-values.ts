import {
  get,
  type HostileInput,
  invalid,
  job,
  loneSurrogate,
  missing,
  notFound,
  refused,
  strict,
  submit,
  withImage,
} from './input.ts'

// Numbers and values that no model takes. What is merely out of range becomes the closest value (see the valid ones).
export const values: readonly HostileInput[] = [
  submit('an unknown model', { ...job, model: 'no-model' }, refused(404, 'model_not_found', 'model')),
  submit(
    'a model of the prototype',
    { ...job, model: '__proto__' },
    refused(404, 'model_not_found', 'model'),
  ),
  submit(
    'a model called constructor',
    { ...job, model: 'constructor' },
    refused(404, 'model_not_found', 'model'),
  ),
  submit(
    'a model of 300 kB',
    { ...job, model: 'm'.repeat(300_000) },
    refused(404, 'model_not_found', 'model'),
  ),
  submit('a model that is an object', { ...job, model: { id: 'minimax-video' } }, missing('model')),
  submit('no prompt', { model: 'minimax-video' }, missing('prompt')),
  submit('an empty prompt', { ...job, prompt: ' \n ' }, missing('prompt')),
  submit('a prompt of NUL alone', { ...job, prompt: '\0\0' }, missing('prompt')),
  submit('a prompt of lone surrogates alone', { ...job, prompt: loneSurrogate }, missing('prompt')),
  submit('a prompt that is an object', { ...job, prompt: { a: 1 } }, invalid('prompt')),
  submit('a prompt that is a list', { ...job, prompt: ['a', 'b'] }, invalid('prompt')),
  submit('a prompt of 20,001 characters', { model: 'sora-2', prompt: 'x'.repeat(20_001) }, invalid('prompt')),
  submit('a prompt of 20,001 emoji', { model: 'sora-2', prompt: '🚣'.repeat(20_001) }, invalid('prompt')),
  submit(
    'an ID of 257 characters',
    { ...job, conversationUUID: 'x'.repeat(257) },
    invalid('conversationUUID'),
  ),
  submit('an ID of 257 emoji', { ...job, conversationUUID: '🚣'.repeat(257) }, invalid('conversationUUID')),
  submit('a duration beyond the range, strictly', { ...job, duration: 999 }, invalid('duration'), {
    headers: strict,
  }),
  submit(
    'a duration of 1e400, strictly',
    `{"model":"sora-2","prompt":"x","duration":1e400}`,
    invalid('duration'),
    { headers: strict },
  ),
  submit('a NUL in a prompt, strictly', { ...job, prompt: 'a\0b' }, invalid('prompt'), { headers: strict }),
  submit(
    'an image that no model reads, strictly',
    { ...job, video: 'https://a.example/a.mp4' },
    invalid('video'),
    { headers: strict },
  ),
]

// IDs, in every route that takes one.
export const ids: readonly HostileInput[] = [
  get('no ID', '/api/video/status', missing('runId')),
  get('an empty ID', '/api/video/status?runId=', missing('runId')),
  get('an unknown ID', '/api/video/status?runId=vid_unknown', notFound),
  get('two IDs', '/api/video/status?runId=vid_a&requestId=vid_b', invalid()),
  get('an ID twice', '/api/video/status?runId=vid_a&runId=vid_b', invalid('runId')),
  get('an ID of 129 characters', `/api/video/status?runId=${'a'.repeat(129)}`, invalid('runId')),
  get('an ID that is a path', '/api/generate-video/status?runId=..%2f..%2fetc%2fpasswd', invalid('runId')),
  get('an ID with a line end', '/api/video-status?runId=vid_%0d%0aDEL', invalid('runId')),
  get('an ID with a star', '/api/video-status?runId=*', invalid('runId')),
  get('an ID that is an object', '/api/video/status?runId[a]=1', missing('runId')),
  get('an ID of the prototype', '/api/video/status?runId=__proto__', notFound),
  get('`__proto__` in a query', '/api/video/status?__proto__=a&constructor=b', missing('runId')),
  get('an unknown job', '/api/jobs/vid_unknown', notFound),
  get('a job that is a path', '/api/jobs/..%2f..%2fadmin%2fkeys', notFound),
  get('a job of 500 characters', `/api/jobs/${'a'.repeat(500)}`, refused(414, 'invalid_request')),
  get('an unknown video', '/v1/videos/vid_unknown', notFound),
  get('a video that is a path', '/v1/videos/..%2f..', notFound),
  get('the content of an unknown video', '/v1/videos/vid_unknown/content', notFound),
  get('an unknown variant', '/api/generate-video/content?runId={job}&variant=nothing', invalid('variant')),
  get('the events of an unknown job', '/api/jobs/vid_unknown/events', notFound),
  get('the webhooks of an unknown job', '/api/jobs/vid_unknown/webhooks', notFound),
  submit('a cancel without an ID', {}, missing('runId'), { path: '/api/generate-video/cancel' }),
  submit('a cancel of an object', { runId: { a: 1 } }, missing('runId'), {
    path: '/api/generate-video/cancel',
  }),
  submit('a cancel of two', { runId: ['vid_a', 'vid_b'] }, invalid('runId'), {
    path: '/api/generate-video/cancel',
  }),
  submit('a cancel of a NUL', { runId: 'vid_\0' }, invalid('runId'), { path: '/api/generate-video/cancel' }),
  submit('a cancel of an unknown job', { runId: 'vid_unknown' }, notFound, {
    path: '/api/generate-video/cancel',
  }),
  submit(
    'an extend without an index',
    { runId: '{job}' },
    { status: 400 },
    { path: '/api/generate-video/extend' },
  ),
  submit('an extend of an unknown job', { runId: 'vid_unknown', index: 1 }, notFound, {
    path: '/api/generate-video/extend',
  }),
  submit('a status of Midjourney without an ID', {}, missing('task_id'), {
    path: '/api/check-midjourney-status',
  }),
  submit('a replay for a job without a webhook', '', refused(409, 'conflict'), {
    path: '/api/jobs/{job}/webhooks/replay',
  }),
  { ...get('a deletion of an unknown job', '/api/jobs/vid_unknown', notFound), method: 'DELETE' },
  { ...get('a deletion of an unknown video', '/v1/videos/vid_unknown', notFound), method: 'DELETE' },
]

// What a regular expression might take its length squared for: hours.
const long = 300_000
export const slow: readonly HostileInput[] = [
  ...[' ', '\u00a0', '\f', '\u0001', '%20', '%'].flatMap((space) =>
    ['data:image/png;base64,', 'data:image/png,'].map((start) =>
      submit(
        `${start} and ${JSON.stringify(space)}, again and again`,
        withImage(`${start}iVBO${space.repeat(long / space.length)}x`),
        { status: 400 },
      ),
    ),
  ),
  ...['duration', 'aspect_ratio', 'resolution'].map((name) =>
    submit(
      `spaces inside \`${name}\``,
      { ...job, model: 'sora-2', [name]: `1${' '.repeat(long)}x` },
      invalid(name),
      { headers: strict },
    ),
  ),
  get('dots in a path', `/${'a.'.repeat(7000)}`, notFound),
]
