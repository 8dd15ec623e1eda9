import type { OperationDocs } from './operation.ts'
import { describeResponse, jsonContent, preferHeader, schemaRef } from './operation.ts'
import { midjourneyStatusSchema, priceSchema } from './response-schemas.ts'

const jobId = { type: 'string', description: 'The job’s id; also taken as `runId`, `id` and `taskId`.' }
const jobIdQuery = { requestId: jobId }
const waitSchema = { type: 'number', minimum: 0, maximum: 60, description: 'Seconds to wait for a change.' }
const submitHeaders = {
  ...preferHeader,
  'idempotency-key': {
    type: 'string',
    minLength: 1,
    maxLength: 255,
    description: 'Makes repetitions of this submit one job, for 24 hours.',
  },
}
const submitErrorStatuses = [402, 403, 404, 409, 422, 429]

function defineStatusOperation(id: string, summary: string): OperationDocs {
  return { id, tag: 'Videos', summary, query: { ...jobIdQuery, wait: waitSchema }, errorStatuses: [403, 404] }
}

/** The NanoGPT tongue, each row under its canonical path. */
export const videoOperations: Readonly<Record<string, OperationDocs>> = {
  'POST /api/generate-video': {
    id: 'submitVideo',
    tag: 'Videos',
    summary: 'Submit a video',
    description:
      'Answers as soon as the job is stored. Values are read leniently (`"8"`, `"8s"` and `8` are one), names without regard to case and underscores; what is not used, and a value that is rendered and billed as the closest one that the model has, is named in `warnings`.',
    headers: submitHeaders,
    body: jsonContent(schemaRef('VideoRequest')),
    errorStatuses: submitErrorStatuses,
  },
  'POST /api/v1/video': {
    id: 'submitFirst',
    tag: 'Videos',
    summary: 'Submit a video as in March 2025',
    headers: submitHeaders,
    body: jsonContent({
      type: 'object',
      properties: { modelSlug: { type: 'string' }, prompt: { type: 'string' } },
    }),
    errorStatuses: submitErrorStatuses,
  },
  'GET /api/video/status': defineStatusOperation('status', 'Ask how a job fares'),
  'GET /api/generate-video/status': defineStatusOperation(
    'statusByRun',
    'Ask how a job fares, under its older path',
  ),
  'GET /api/video-status': defineStatusOperation(
    'statusFlat',
    'Ask how a job fares, in the words of November 2025',
  ),
  'GET /api/v1/video/status': defineStatusOperation(
    'statusFirst',
    'Ask how a job fares, in the words of March 2025',
  ),
  'POST /api/generate-video/cancel': {
    id: 'cancelVideo',
    tag: 'Videos',
    summary: 'Ask for the end of a job',
    body: jsonContent({ type: 'object', properties: jobIdQuery }),
    errorStatuses: [403, 404],
  },
  'POST /api/generate-video/extend': {
    id: 'extendVideo',
    tag: 'Videos',
    summary: 'Go on from one of the four clips of a Midjourney job',
    headers: submitHeaders,
    body: jsonContent({
      type: 'object',
      required: ['index'],
      properties: {
        runId: jobId,
        index: { type: 'integer', minimum: 0, maximum: 3, description: 'Which clip.' },
        prompt: { type: 'string' },
        motion: { type: 'string' },
      },
    }),
    errorStatuses: submitErrorStatuses,
  },
  'GET /api/generate-video/recover': {
    id: 'recoverVideos',
    tag: 'Videos',
    summary: 'Find jobs whose submit answer was lost',
    query: {
      model: { type: 'string' },
      conversationUUID: { type: 'string' },
      limit: { type: 'integer', minimum: 1, maximum: 50, default: 10 },
    },
    errorStatuses: [429],
  },
  'GET /api/generate-video/content': {
    id: 'videoContent',
    tag: 'Videos',
    summary: 'Download a finished video, or a picture of it',
    query: {
      runId: jobId,
      variant: { type: 'string', enum: ['video', 'thumbnail', 'spritesheet'], default: 'video' },
    },
    replies: {
      200: describeResponse('The file; its link, for those who accept JSON only.', {
        'video/mp4': { type: 'string', format: 'binary' },
        'image/jpeg': { type: 'string', format: 'binary' },
        'application/json': { type: 'object', required: ['url'], properties: { url: { type: 'string' } } },
      }),
      206: describeResponse('The range that was asked for.', {
        'video/mp4': { type: 'string', format: 'binary' },
      }),
    },
    errorStatuses: [403, 404, 409, 410, 416],
  },
  'POST /api/check-midjourney-status': {
    id: 'midjourneyStatus',
    tag: 'Videos',
    summary: 'Ask how a job fares, in Midjourney’s words',
    body: jsonContent({ type: 'object', properties: { task_id: jobId } }),
    replies: { 200: describeResponse('How it fares.', { 'application/json': midjourneyStatusSchema }) },
    errorStatuses: [403, 404],
  },
  'POST /api/price': {
    id: 'price',
    tag: 'Videos',
    summary: 'What a submit of this body would cost',
    headers: preferHeader,
    body: jsonContent(schemaRef('VideoRequest')),
    replies: { 200: describeResponse('The price.', { 'application/json': priceSchema }) },
    errorStatuses: [404],
  },
  'POST /api/check-balance': {
    id: 'checkBalance',
    tag: 'Account',
    summary: 'What a key has left',
    errorStatuses: [408, 413, 415],
  },
}
