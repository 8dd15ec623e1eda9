import { publicStates } from '../job-schemas.ts'
import { largestLimit } from '../paging.ts'
import { json, type Operation, preferHeader, reply } from './operation.ts'

const text = { type: 'string' }
const limit = { type: 'integer', minimum: 1, maximum: largestLimit, default: 20 }
const model = { ...text, default: 'sora-2', description: 'Any model of the catalogue.' }
const submitHeaders = { ...preferHeader, 'idempotency-key': { ...text, minLength: 1, maxLength: 255 } }
const submitRefusals = [402, 403, 404, 409, 422, 429]

const reference = { ...text, description: 'A link, a data URL, or in a form a file.' }
const asked = {
  model,
  prompt: text,
  seconds: { ...text, description: 'The length of the video.' },
  size: {
    ...text,
    pattern: '^[1-9][0-9]{1,4}x[1-9][0-9]{1,4}$',
    description: 'Width and height, as `1280x720`.',
  },
}
const more = {
  type: 'object',
  required: ['prompt'],
  description: 'Any other field of the model is passed on to it.',
  additionalProperties: true,
}

/** Our own routes of jobs, and the OpenAI Videos API. */
export const jobs: Readonly<Record<string, Operation>> = {
  'GET /api/jobs': {
    id: 'jobs',
    tag: 'Jobs',
    summary: 'The key’s jobs, newest first',
    query: {
      state: { ...text, enum: publicStates, description: 'One, or several with commas between.' },
      model: text,
      limit,
      cursor: { ...text, description: '`next` of the page before.' },
    },
  },
  'GET /api/jobs/:id': {
    id: 'job',
    tag: 'Jobs',
    summary: 'A job with every change of it',
    refusals: [403, 404],
  },
  'DELETE /api/jobs/:id': {
    id: 'cancelJob',
    tag: 'Jobs',
    summary: 'Ask for the end of a job',
    refusals: [403, 404],
  },
  'GET /api/jobs/:id/events': {
    id: 'jobEvents',
    tag: 'Jobs',
    summary: 'A job’s changes as they happen',
    description: 'Server-sent events: the job as it is, then each change, until its end.',
    headers: { 'last-event-id': { ...text, description: 'Where an earlier stream ended.' } },
    replies: {
      200: reply('Each event is a status body.', {
        'text/event-stream': { type: 'object', properties: { id: text, data: text } },
      }),
      204: { description: 'There is nothing more.', type: 'null' },
    },
    refusals: [403, 404],
  },
  'GET /api/jobs/:id/webhooks': {
    id: 'deliveries',
    tag: 'Webhooks',
    summary: 'Whether a job’s end was told, and each attempt to',
    refusals: [403, 404],
  },
  'POST /api/jobs/:id/webhooks/replay': {
    id: 'replayWebhook',
    tag: 'Webhooks',
    summary: 'Tell a job’s end again',
    refusals: [403, 404, 408, 409, 413, 415],
  },
  'GET /api/webhooks': {
    id: 'usualWebhook',
    tag: 'Webhooks',
    summary: 'Where the ends of jobs that name no address are told',
  },
  'POST /api/webhooks': {
    id: 'setUsualWebhook',
    tag: 'Webhooks',
    summary: 'Set that address; without one, nothing is told',
    body: json({ type: 'object', properties: { webhookUrl: { type: ['string', 'null'] } } }),
  },
  'GET /api/webhooks/secret': {
    id: 'webhookSecret',
    tag: 'Webhooks',
    summary: 'What verifies the signatures of webhooks',
  },
  'POST /api/webhooks/secret': {
    id: 'rotateWebhookSecret',
    tag: 'Webhooks',
    summary: 'Make a new one',
    refusals: [408, 413, 415],
  },

  'POST /v1/videos': {
    id: 'createVideo',
    tag: 'OpenAI Videos',
    summary: 'Submit a video',
    headers: submitHeaders,
    body: {
      'application/json': {
        ...more,
        properties: {
          ...asked,
          input_reference: {
            oneOf: [reference, { type: 'object', properties: { image_url: text, file_id: text } }],
          },
        },
      },
      'multipart/form-data': {
        ...more,
        properties: { ...asked, input_reference: { type: 'string', format: 'binary' } },
      },
    },
    refusals: submitRefusals,
    openai: true,
  },
  'GET /v1/videos': {
    id: 'listVideos',
    tag: 'OpenAI Videos',
    summary: 'The key’s jobs',
    query: { limit, after: text, order: { ...text, enum: ['asc', 'desc'], default: 'desc' } },
    openai: true,
  },
  'GET /v1/videos/:id': {
    id: 'retrieveVideo',
    tag: 'OpenAI Videos',
    summary: 'Ask how a job fares',
    refusals: [403, 404],
    openai: true,
  },
  'DELETE /v1/videos/:id': {
    id: 'deleteVideo',
    tag: 'OpenAI Videos',
    summary: 'Remove a finished job and its files; cancel a running one',
    refusals: [403, 404],
    openai: true,
  },
  'GET /v1/videos/:id/content': {
    id: 'downloadVideo',
    tag: 'OpenAI Videos',
    summary: 'Download a finished video, or a picture of it',
    query: { variant: { ...text, enum: ['video', 'thumbnail', 'spritesheet'], default: 'video' } },
    replies: {
      200: reply('The file.', {
        'video/mp4': { type: 'string', format: 'binary' },
        'image/jpeg': { type: 'string', format: 'binary' },
        'application/json': { type: 'object', required: ['url'], properties: { url: text } },
      }),
      206: reply('The range that was asked for.', { 'video/mp4': { type: 'string', format: 'binary' } }),
    },
    refusals: [403, 404, 409, 410, 416],
    openai: true,
  },
  'POST /v1/videos/:id/remix': {
    id: 'remixVideo',
    tag: 'OpenAI Videos',
    summary: 'Make a new video from a finished one',
    headers: submitHeaders,
    body: json({ ...more, properties: { prompt: text, model: text } }),
    refusals: submitRefusals,
    openai: true,
  },
}
