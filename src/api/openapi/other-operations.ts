import { describeResponse, type OperationDocs } from './operation.ts'
import {
  accountSchema,
  attachmentSchema,
  listSchema,
  modelSchema,
  objectSchema,
  okResponse,
  textSchema,
  usageSchema,
} from './response-schemas.ts'

const mp4Content = { 'video/mp4': { type: 'string', format: 'binary' } }
const detailed = { type: 'string', enum: ['true', 'false'] }
const days = { type: 'integer', minimum: 1, maximum: 400, default: 30 }
const usageQuery = { days, model: textSchema, day: { type: 'string', format: 'date' } }

const emptyData = { object: textSchema, data: { type: 'array', items: { type: 'object' }, maxItems: 0 } }
const emptyList = objectSchema(emptyData)

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

const quotaSchema = objectSchema({
  used: { type: 'integer' },
  remaining: { type: 'integer' },
  percentUsed: { type: 'number' },
  resetAt: { type: 'integer', description: 'Unix time in milliseconds.' },
})

/** Models, files, money and what the operator needs. */
export const otherOperations: Readonly<Record<string, OperationDocs>> = {
  'GET /api/v1/video-models': {
    id: 'videoModels',
    tag: 'Models',
    summary: 'The video models, with what each takes and costs',
    query: { detailed: { ...detailed, default: 'true' } },
    replies: okResponse(
      'The models.',
      listSchema(modelSchema, { object: textSchema, meta: { type: 'object' } }),
    ),
    isPublic: true,
  },
  'GET /api/v1/models': {
    id: 'models',
    tag: 'Models',
    summary:
      'All models, which here are video models; with `detailed=true` the text models, of which there are none',
    query: { detailed: { ...detailed, default: 'false' } },
    replies: okResponse('The models.', listSchema(modelSchema, { object: textSchema })),
    isPublic: true,
  },
  'GET /api/models/video': {
    id: 'modelsByKind',
    tag: 'Models',
    summary: 'The older list, by model id',
    replies: okResponse('The models.', objectSchema({ models: objectSchema({ video: { type: 'object' } }) })),
    isPublic: true,
  },
  'GET /api/models/image': {
    id: 'imageModelsByKind',
    tag: 'Models',
    summary: 'The older list of image models, which is empty',
    replies: okResponse('An empty list.', objectSchema({ ...emptyData, models: { type: 'object' } })),
    isPublic: true,
  },
  ...Object.fromEntries(
    Object.entries(emptyLists).map(([path, [id, kind]]): [string, OperationDocs] => [
      `GET ${path}`,
      {
        id,
        tag: 'Models',
        summary: `The ${kind} models, of which there are none`,
        replies: okResponse('An empty list.', emptyList),
        isPublic: true,
      },
    ]),
  ),

  'GET /files/:name': {
    id: 'file',
    tag: 'Files',
    summary: 'A finished video or a picture of it, by the link that its job tells',
    replies: {
      200: describeResponse('The file.', {
        ...mp4Content,
        'image/jpeg': { type: 'string', format: 'binary' },
      }),
      206: describeResponse('The range that was asked for.', mp4Content),
    },
    errorStatuses: [404, 410, 416],
    isPublic: true,
  },
  'POST /api/library': {
    id: 'keepAttachment',
    tag: 'Files',
    summary: 'Keep a file to use it in several jobs',
    body: { 'multipart/form-data': objectSchema({ file: { type: 'string', format: 'binary' } }) },
    replies: okResponse(
      'It is kept; its id goes into `imageAttachmentId` and the like.',
      attachmentSchema,
      201,
    ),
  },
  'GET /api/library': {
    id: 'attachments',
    tag: 'Files',
    summary: 'What is kept, newest first',
    query: { limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 } },
    replies: okResponse('The attachments.', listSchema(attachmentSchema)),
  },
  'GET /api/library/:id': {
    id: 'attachment',
    tag: 'Files',
    summary: 'One of them',
    replies: okResponse('The attachment.', attachmentSchema),
    errorStatuses: [404],
  },
  'DELETE /api/library/:id': {
    id: 'removeAttachment',
    tag: 'Files',
    summary: 'Remove one of them; jobs that use it go on',
    replies: okResponse('It is gone.', objectSchema({ id: textSchema, deleted: { type: 'boolean' } })),
    errorStatuses: [404],
  },

  'GET /api/subscription/v1/usage': {
    id: 'subscriptionUsage',
    tag: 'Account',
    summary: 'The subscription of a key, of which there is none',
    replies: okResponse(
      'No subscription.',
      objectSchema({
        active: { type: 'boolean' },
        daily: quotaSchema,
        monthly: quotaSchema,
        state: textSchema,
      }),
    ),
  },

  'GET /health': {
    id: 'health',
    tag: 'Operation',
    summary: 'Whether the process lives',
    replies: okResponse('It does.', objectSchema({ status: textSchema })),
    isPublic: true,
  },
  'GET /ready': {
    id: 'ready',
    tag: 'Operation',
    summary: 'Whether it can take jobs',
    replies: okResponse('It can.', objectSchema({ status: textSchema })),
    isPublic: true,
  },
  'POST /api/admin/keys': {
    id: 'createKey',
    tag: 'Operation',
    summary: 'Make a key; it is told this once',
    replies: okResponse('The key.', accountSchema, 201),
    errorStatuses: [409, 422],
  },
  'GET /api/admin/keys': {
    id: 'keys',
    tag: 'Operation',
    summary: 'Every key',
    replies: okResponse('The keys.', listSchema(accountSchema)),
  },
  'GET /api/admin/keys/:id': {
    id: 'key',
    tag: 'Operation',
    summary: 'One key, with its limits and its money',
    replies: okResponse('The key.', accountSchema),
    errorStatuses: [404],
  },
  'PATCH /api/admin/keys/:id': {
    id: 'changeKey',
    tag: 'Operation',
    summary:
      'Change the limits of a key, top it up or correct its balance, all of it or nothing; with an `Idempotency-Key` once in 24 hours',
    replies: okResponse('The key.', accountSchema),
    errorStatuses: [404, 409, 422],
  },
  'DELETE /api/admin/keys/:id': {
    id: 'revokeKey',
    tag: 'Operation',
    summary: 'Revoke a key',
    replies: okResponse('The key.', accountSchema),
    errorStatuses: [404],
  },
  'GET /api/admin/keys/:id/ledger': {
    id: 'ledger',
    tag: 'Operation',
    summary: 'Every movement of a key’s money',
    replies: okResponse('The movements.', listSchema({ type: 'object' })),
    errorStatuses: [404],
  },
  'GET /api/admin/keys/:id/held': {
    id: 'held',
    tag: 'Operation',
    summary: 'The money of a key that is on hold, job by job',
    replies: okResponse('The jobs.', listSchema({ type: 'object' })),
    errorStatuses: [404],
  },
  'POST /api/admin/keys/:id/held/:job': {
    id: 'decideHeld',
    tag: 'Operation',
    summary: 'Charge or release the money on hold for a job of this key',
    replies: okResponse('The key.', accountSchema),
    errorStatuses: [404, 409],
  },
  'GET /api/admin/unknown': {
    id: 'unknown',
    tag: 'Operation',
    summary: 'Every job whose money is on hold until an operator decides',
    replies: okResponse(
      'The jobs, with the attempt to look for at the upstream.',
      listSchema({ type: 'object' }),
    ),
  },
  'POST /api/admin/unknown/:id': {
    id: 'decideUnknown',
    tag: 'Operation',
    summary:
      'Charge or release the money on hold for a job, or resume the job with the task that its upstream has for it',
    replies: okResponse('The decision. The same decision again returns the first one.', { type: 'object' }),
    errorStatuses: [404, 409],
  },
  'GET /api/admin/usage': {
    id: 'allUsage',
    tag: 'Operation',
    summary: 'What all keys have used',
    query: { ...usageQuery, key: textSchema },
    replies: okResponse('The usage.', usageSchema),
  },
}
