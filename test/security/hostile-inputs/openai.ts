import {
  get,
  type HostileInput,
  invalid,
  job,
  loneSurrogate,
  missing,
  noJson,
  notFound,
  strict,
  submit,
  videosRoute,
} from './input.ts'

// The OpenAI API.
export const openai: readonly HostileInput[] = [
  submit('an array', [], invalid(), videosRoute),
  submit('no prompt', { model: 'sora-2' }, missing('prompt'), videosRoute),
  submit('`n: 2`', { ...job, n: 2 }, invalid('n'), videosRoute),
  submit('a size that is none', { model: 'sora-2', prompt: 'x', size: '1x1' }, invalid('size'), videosRoute),
  submit('seconds that are none', { model: 'sora-2', prompt: 'x', seconds: 'abc' }, invalid('seconds'), {
    ...videosRoute,
    headers: strict,
  }),
  submit('1000 seconds', { model: 'sora-2', prompt: 'x', seconds: '1000' }, invalid('seconds'), videosRoute),
  submit(
    'a reference that is a number',
    { model: 'sora-2', prompt: 'x', input_reference: 5 },
    invalid('input_reference'),
    videosRoute,
  ),
  submit(
    'a reference to a file',
    { model: 'sora-2', prompt: 'x', input_reference: 'file:///etc/passwd' },
    invalid('input_reference'),
    videosRoute,
  ),
  submit(
    'a reference to an unknown attachment',
    { model: 'sora-2', prompt: 'x', input_reference: { file_id: 'att_x' } },
    invalid('input_reference'),
    videosRoute,
  ),
  submit(
    'a lone surrogate in the size',
    { model: 'sora-2', prompt: 'x', size: loneSurrogate },
    invalid('size'),
    videosRoute,
  ),
  submit('a bad JSON', '{', noJson, videosRoute),
  submit('a remix of an unknown video', { prompt: 'x' }, notFound, { path: '/v1/videos/vid_unknown/remix' }),
  submit('a remix without a prompt', { model: 'runwayml-gen4-aleph' }, missing('prompt'), {
    path: '/v1/videos/{job}/remix',
  }),
  submit('a remix by a model that cannot', { prompt: 'x', model: 'minimax-video' }, invalid('model'), {
    path: '/v1/videos/{job}/remix',
  }),
  get('an unknown order', '/v1/videos?order=up', invalid('order')),
  get('a page after an unknown video', '/v1/videos?after=vid_unknown', invalid('after')),
  get('a page after a long name', `/v1/videos?after=${'a'.repeat(300)}`, invalid('after')),
  get('a limit that is none', '/v1/videos?limit=abc', invalid('limit')),
  get('a limit of 0', '/v1/videos?limit=0', invalid('limit')),
]
