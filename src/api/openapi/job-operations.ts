import { describeResponse, jsonContent, type OperationDocs, preferHeader } from './operation.ts'

const text = { type: 'string' }
const limit = { type: 'integer', minimum: 1, maximum: 100, default: 20 }
const model = { ...text, default: 'sora-2', description: 'Any model of the catalogue.' }
const submitHeaders = { ...preferHeader, 'idempotency-key': { ...text, minLength: 1, maxLength: 255 } }
const submitErrorStatuses = [402, 403, 404, 409, 422, 429]

const reference = { ...text, description: 'A link, a data URL, or in a form a file.' }
const videoFields = {
  model,
  prompt: text,
  seconds: { ...text, description: 'The length of the video.' },
  size: {
    ...text,
    pattern: '^[1-9][0-9]{1,4}x[1-9][0-9]{1,4}$',
    description: 'Width and height, as `1280x720`.',
  },
}
const videoBody = {
  type: 'object',
  required: ['prompt'],
  description: 'Any other field of the model is passed on to it.',
  additionalProperties: true,
}

/** The OpenAI Videos API. */
export const jobOperations: Readonly<Record<string, OperationDocs>> = {
  'POST /v1/videos': {
    id: 'createVideo',
    tag: 'OpenAI Videos',
    summary: 'Submit a video',
    headers: submitHeaders,
    body: {
      'application/json': {
        ...videoBody,
        properties: {
          ...videoFields,
          input_reference: {
            oneOf: [reference, { type: 'object', properties: { image_url: text, file_id: text } }],
          },
        },
      },
      'multipart/form-data': {
        ...videoBody,
        properties: { ...videoFields, input_reference: { type: 'string', format: 'binary' } },
      },
    },
    errorStatuses: submitErrorStatuses,
    hasOpenaiErrors: true,
  },
  'GET /v1/videos': {
    id: 'listVideos',
    tag: 'OpenAI Videos',
    summary: 'The key’s jobs',
    query: { limit, after: text, order: { ...text, enum: ['asc', 'desc'], default: 'desc' } },
    hasOpenaiErrors: true,
  },
  'GET /v1/videos/:id': {
    id: 'retrieveVideo',
    tag: 'OpenAI Videos',
    summary: 'Ask how a job fares',
    errorStatuses: [403, 404],
    hasOpenaiErrors: true,
  },
  'DELETE /v1/videos/:id': {
    id: 'deleteVideo',
    tag: 'OpenAI Videos',
    summary: 'Remove a finished job and its files; cancel a running one',
    errorStatuses: [403, 404],
    hasOpenaiErrors: true,
  },
  'GET /v1/videos/:id/content': {
    id: 'downloadVideo',
    tag: 'OpenAI Videos',
    summary: 'Download a finished video, or a picture of it',
    query: { variant: { ...text, enum: ['video', 'thumbnail', 'spritesheet'], default: 'video' } },
    replies: {
      200: describeResponse('The file.', {
        'video/mp4': { type: 'string', format: 'binary' },
        'image/jpeg': { type: 'string', format: 'binary' },
        'application/json': { type: 'object', required: ['url'], properties: { url: text } },
      }),
      206: describeResponse('The range that was asked for.', {
        'video/mp4': { type: 'string', format: 'binary' },
      }),
    },
    errorStatuses: [403, 404, 409, 410, 416],
    hasOpenaiErrors: true,
  },
  'POST /v1/videos/:id/remix': {
    id: 'remixVideo',
    tag: 'OpenAI Videos',
    summary: 'Make a new video from a finished one',
    headers: submitHeaders,
    body: jsonContent({ ...videoBody, properties: { prompt: text, model: text } }),
    errorStatuses: submitErrorStatuses,
    hasOpenaiErrors: true,
  },
}
