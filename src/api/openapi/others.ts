import { type Operation, reply } from './operation.ts'
import { account, attachment, listOf, model, object, ok, text, usage } from './replies.ts'

const mp4 = { 'video/mp4': { type: 'string', format: 'binary' } }
const detailed = { type: 'string', enum: ['true', 'false'] }
const days = { type: 'integer', minimum: 1, maximum: 400, default: 30 }
const daysAndMore = { days, model: text, day: { type: 'string', format: 'date' } }

const emptyData = { object: text, data: { type: 'array', items: { type: 'object' }, maxItems: 0 } }
const emptyList = object(emptyData)

/** Path -> operation ID and what the list is of. */
const emptyLists: Readonly<Record<string, readonly [string, string]>> = {
  '/api/v1/images/models': ['imageModels', 'image'],
  '/api/v1/image-models': ['imageModelList', 'image'],
  '/api/v1/audio-models': ['audioModels', 'audio'],
  '/api/v1/embedding-models': ['embeddingModels', 'embedding'],
  '/api/subscription/v1/models': ['subscriptionModels', 'subscription'],
  '/api/paid/v1/models': ['paidModels', 'paid text'],
  '/api/personalized/v1/models': ['personalizedModels', 'personalized'],
}

const windowOfUse = object({
  used: { type: 'integer' },
  remaining: { type: 'integer' },
  percentUsed: { type: 'number' },
  resetAt: { type: 'integer', description: 'Unix time in milliseconds.' },
})

/** Models, files, money and what the operator needs. */
export const others: Readonly<Record<string, Operation>> = {
  'GET /api/v1/video-models': {
    id: 'videoModels',
    tag: 'Models',
    summary: 'The video models, with what each takes and costs',
    query: { detailed: { ...detailed, default: 'true' } },
    replies: ok('The models.', listOf(model, { object: text, meta: { type: 'object' } })),
    keyless: true,
  },
  'GET /api/v1/models': {
    id: 'models',
    tag: 'Models',
    summary:
      'All models, which here are video models; with `detailed=true` the text models, of which there are none',
    query: { detailed: { ...detailed, default: 'false' } },
    replies: ok('The models.', listOf(model, { object: text })),
    keyless: true,
  },
  'GET /api/models/video': {
    id: 'modelsByKind',
    tag: 'Models',
    summary: 'The older list, by model id',
    replies: ok('The models.', object({ models: object({ video: { type: 'object' } }) })),
    keyless: true,
  },
  'GET /api/models/image': {
    id: 'imageModelsByKind',
    tag: 'Models',
    summary: 'The older list of image models, which is empty',
    replies: ok('An empty list.', object({ ...emptyData, models: { type: 'object' } })),
    keyless: true,
  },
  ...Object.fromEntries(
    Object.entries(emptyLists).map(([path, [id, kind]]): [string, Operation] => [
      `GET ${path}`,
      {
        id,
        tag: 'Models',
        summary: `The ${kind} models, of which there are none`,
        replies: ok('An empty list.', emptyList),
        keyless: true,
      },
    ]),
  ),

  'GET /files/:name': {
    id: 'file',
    tag: 'Files',
    summary: 'A finished video or a picture of it, by the link that its job tells',
    replies: {
      200: reply('The file.', { ...mp4, 'image/jpeg': { type: 'string', format: 'binary' } }),
      206: reply('The range that was asked for.', mp4),
    },
    refusals: [404, 410, 416],
    keyless: true,
  },
  'POST /api/library': {
    id: 'keepAttachment',
    tag: 'Files',
    summary: 'Keep a file to use it in several jobs',
    body: { 'multipart/form-data': object({ file: { type: 'string', format: 'binary' } }) },
    replies: ok('It is kept; its id goes into `imageAttachmentId` and the like.', attachment, 201),
  },
  'GET /api/library': {
    id: 'attachments',
    tag: 'Files',
    summary: 'What is kept, newest first',
    query: { limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 } },
    replies: ok('The attachments.', listOf(attachment)),
  },
  'GET /api/library/:id': {
    id: 'attachment',
    tag: 'Files',
    summary: 'One of them',
    replies: ok('The attachment.', attachment),
    refusals: [404],
  },
  'DELETE /api/library/:id': {
    id: 'removeAttachment',
    tag: 'Files',
    summary: 'Remove one of them; jobs that use it go on',
    replies: ok('It is gone.', object({ id: text, deleted: { type: 'boolean' } })),
    refusals: [404],
  },

  'GET /api/usage': {
    id: 'usage',
    tag: 'Account',
    summary: 'What a key has used, by day and model',
    query: daysAndMore,
    replies: ok('The usage.', usage),
  },
  'GET /api/subscription/v1/usage': {
    id: 'subscriptionUsage',
    tag: 'Account',
    summary: 'The subscription of a key, of which there is none',
    replies: ok(
      'No subscription.',
      object({ active: { type: 'boolean' }, daily: windowOfUse, monthly: windowOfUse, state: text }),
    ),
  },

  'GET /health': {
    id: 'health',
    tag: 'Operation',
    summary: 'Whether the process lives',
    replies: ok('It does.', object({ status: text })),
    keyless: true,
  },
  'GET /ready': {
    id: 'ready',
    tag: 'Operation',
    summary: 'Whether it can take jobs',
    replies: ok('It can.', object({ status: text })),
    keyless: true,
  },
  'POST /api/admin/keys': {
    id: 'createKey',
    tag: 'Operation',
    summary: 'Make a key; it is told this once',
    replies: ok('The key.', account, 201),
    refusals: [409, 422],
  },
  'GET /api/admin/keys': {
    id: 'keys',
    tag: 'Operation',
    summary: 'Every key',
    replies: ok('The keys.', listOf(account)),
  },
  'GET /api/admin/keys/:id': {
    id: 'key',
    tag: 'Operation',
    summary: 'One key, with its limits and its money',
    replies: ok('The key.', account),
    refusals: [404],
  },
  'PATCH /api/admin/keys/:id': {
    id: 'changeKey',
    tag: 'Operation',
    summary:
      'Change the limits of a key, top it up or correct its balance, all of it or nothing; with an `Idempotency-Key` once in 24 hours',
    replies: ok('The key.', account),
    refusals: [404, 409, 422],
  },
  'DELETE /api/admin/keys/:id': {
    id: 'revokeKey',
    tag: 'Operation',
    summary: 'Revoke a key',
    replies: ok('The key.', account),
    refusals: [404],
  },
  'GET /api/admin/keys/:id/ledger': {
    id: 'ledger',
    tag: 'Operation',
    summary: 'Every movement of a key’s money',
    replies: ok('The movements.', listOf({ type: 'object' })),
    refusals: [404],
  },
  'GET /api/admin/keys/:id/held': {
    id: 'held',
    tag: 'Operation',
    summary: 'The money of a key that is on hold, job by job',
    replies: ok('The jobs.', listOf({ type: 'object' })),
    refusals: [404],
  },
  'POST /api/admin/keys/:id/held/:job': {
    id: 'decideHeld',
    tag: 'Operation',
    summary: 'Charge or release the money on hold for a job of this key',
    replies: ok('The key.', account),
    refusals: [404, 409],
  },
  'GET /api/admin/unknown': {
    id: 'unknown',
    tag: 'Operation',
    summary: 'Every job whose money is on hold until an operator decides',
    replies: ok('The jobs, with the attempt to look for at the upstream.', listOf({ type: 'object' })),
  },
  'POST /api/admin/unknown/:id': {
    id: 'decideUnknown',
    tag: 'Operation',
    summary:
      'Charge or release the money on hold for a job, or resume the job with the task that its upstream has for it',
    replies: ok('The decision. The same decision again returns the first one.', { type: 'object' }),
    refusals: [404, 409],
  },
  'GET /api/admin/usage': {
    id: 'allUsage',
    tag: 'Operation',
    summary: 'What all keys have used',
    query: { ...daysAndMore, key: text },
    replies: ok('The usage.', usage),
  },
}
