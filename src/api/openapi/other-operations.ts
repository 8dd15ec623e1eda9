import { describeResponse, type OperationDocs } from './operation.ts'
import {
  accountSchema,
  listSchema,
  objectSchema,
  okResponse,
  textSchema,
  usageSchema,
} from './response-schemas.ts'

const mp4Content = { 'video/mp4': { type: 'string', format: 'binary' } }
const days = { type: 'integer', minimum: 1, maximum: 400, default: 30 }
const usageQuery = { days, model: textSchema, day: { type: 'string', format: 'date' } }

/** Files, health and the operator's routes. */
export const otherOperations: Readonly<Record<string, OperationDocs>> = {
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
