import type { Operation } from './operation.ts'
import { json, preferHeader, refer, reply } from './operation.ts'
import { midjourney, price } from './replies.ts'

const jobId = { type: 'string', description: 'The job’s id; also taken as `runId`, `id` and `taskId`.' }
const byId = { requestId: jobId }
const wait = { type: 'number', minimum: 0, maximum: 60, description: 'Seconds to wait for a change.' }
const submitHeaders = {
  ...preferHeader,
  'idempotency-key': {
    type: 'string',
    minLength: 1,
    maxLength: 255,
    description: 'Makes repetitions of this submit one job, for 24 hours.',
  },
}
const submitRefusals = [402, 403, 404, 409, 422, 429]

function status(id: string, summary: string): Operation {
  return { id, tag: 'Videos', summary, query: { ...byId, wait }, refusals: [403, 404] }
}

/** The NanoGPT tongue, each row under its canonical path. */
export const videos: Readonly<Record<string, Operation>> = {
  'POST /api/generate-video': {
    id: 'submitVideo',
    tag: 'Videos',
    summary: 'Submit a video',
    description:
      'Answers as soon as the job is stored. Values are read leniently (`"8"`, `"8s"` and `8` are one), names without regard to case and underscores; what is not used, and a value that is rendered and billed as the closest one that the model has, is named in `warnings`.',
    headers: submitHeaders,
    body: json(refer('VideoRequest')),
    refusals: submitRefusals,
  },
  'POST /api/v1/video': {
    id: 'submitFirst',
    tag: 'Videos',
    summary: 'Submit a video as in March 2025',
    headers: submitHeaders,
    body: json({ type: 'object', properties: { modelSlug: { type: 'string' }, prompt: { type: 'string' } } }),
    refusals: submitRefusals,
  },
  'GET /api/video/status': status('status', 'Ask how a job fares'),
  'GET /api/generate-video/status': status('statusByRun', 'Ask how a job fares, under its older path'),
  'GET /api/video-status': status('statusFlat', 'Ask how a job fares, in the words of November 2025'),
  'GET /api/v1/video/status': status('statusFirst', 'Ask how a job fares, in the words of March 2025'),
  'POST /api/generate-video/cancel': {
    id: 'cancelVideo',
    tag: 'Videos',
    summary: 'Ask for the end of a job',
    body: json({ type: 'object', properties: byId }),
    refusals: [403, 404],
  },
  'POST /api/generate-video/extend': {
    id: 'extendVideo',
    tag: 'Videos',
    summary: 'Go on from one of the four clips of a Midjourney job',
    headers: submitHeaders,
    body: json({
      type: 'object',
      required: ['index'],
      properties: {
        runId: jobId,
        index: { type: 'integer', minimum: 0, maximum: 3, description: 'Which clip.' },
        prompt: { type: 'string' },
        motion: { type: 'string' },
      },
    }),
    refusals: submitRefusals,
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
    refusals: [429],
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
      200: reply('The file; its link, for those who accept JSON only.', {
        'video/mp4': { type: 'string', format: 'binary' },
        'image/jpeg': { type: 'string', format: 'binary' },
        'application/json': { type: 'object', required: ['url'], properties: { url: { type: 'string' } } },
      }),
      206: reply('The range that was asked for.', { 'video/mp4': { type: 'string', format: 'binary' } }),
    },
    refusals: [403, 404, 409, 410, 416],
  },
  'POST /api/check-midjourney-status': {
    id: 'midjourneyStatus',
    tag: 'Videos',
    summary: 'Ask how a job fares, in Midjourney’s words',
    body: json({ type: 'object', properties: { task_id: jobId } }),
    replies: { 200: reply('How it fares.', { 'application/json': midjourney }) },
    refusals: [403, 404],
  },
  'POST /api/price': {
    id: 'price',
    tag: 'Videos',
    summary: 'What a submit of this body would cost',
    headers: preferHeader,
    body: json(refer('VideoRequest')),
    replies: { 200: reply('The price.', { 'application/json': price }) },
    refusals: [404],
  },
  'POST /api/check-balance': {
    id: 'checkBalance',
    tag: 'Account',
    summary: 'What a key has left',
    refusals: [408, 413, 415],
  },
}
