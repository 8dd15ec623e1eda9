import type { FastifyRequest } from 'fastify'
import { type RequestBody, readBodyObject } from '../body/request-body.ts'
import type { ApiDeps } from '../deps.ts'
import { textSchema } from '../openapi/response-schemas.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { type AcceptedJob, acceptSubmission, replayOrCreate } from '../submission/accept-submission.ts'
import { submitErrorStatuses, submitHeaders } from '../submission/submission-docs.ts'
import { readAcceptedVideo } from './read-own-video.ts'
import { OpenaiVideo } from './schemas.ts'
import { validateVideo } from './validate-video.ts'
import { videoBody } from './video-body.ts'

const videoFields = {
  model: { ...textSchema, default: 'sora-2', description: 'Any model of the catalogue.' },
  prompt: textSchema,
  seconds: { ...textSchema, description: 'The length of the video.' },
  size: {
    ...textSchema,
    pattern: '^[1-9][0-9]{1,4}x[1-9][0-9]{1,4}$',
    description: 'Width and height, as `1280x720`.',
  },
}

const referenceSchema = {
  oneOf: [
    { ...textSchema, description: 'A link or a data URL; in a form, also a file.' },
    { type: 'object', properties: { image_url: textSchema, file_id: textSchema } },
  ],
}

export const createVideo: RouteDefinition = {
  method: 'POST',
  path: '/videos',
  docs: {
    id: 'createVideo',
    tag: 'OpenAI Videos',
    summary: 'Submit a video',
    headers: submitHeaders,
    body: {
      'application/json': {
        ...videoBody,
        properties: { ...videoFields, input_reference: referenceSchema },
      },
      'multipart/form-data': {
        ...videoBody,
        properties: { ...videoFields, input_reference: { type: 'string', format: 'binary' } },
      },
    },
    errorStatuses: submitErrorStatuses,
    hasOpenaiErrors: true,
  },
  response: OpenaiVideo,
  rateLimit: 'submit',
  respond: async (deps, request) => {
    const body = readBodyObject(request.body)
    const accepted = await replayOrCreate(deps, request, body, () => acceptVideo(deps, request, body))
    return readAcceptedVideo(deps, request, accepted)
  },
}

async function acceptVideo(deps: ApiDeps, request: FastifyRequest, body: RequestBody): Promise<AcceptedJob> {
  const { validated, body: translatedBody } = validateVideo(deps, request, body)
  return acceptSubmission(deps, request, { ...validated, body: translatedBody })
}
