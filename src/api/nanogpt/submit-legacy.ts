import { isEmpty } from '../../catalogue/validation/parse-value.ts'
import { type RequestBody, readBodyObject } from '../body/request-body.ts'
import { jsonContent } from '../openapi/operation.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { submitErrorStatuses, submitHeaders } from '../submission/submission-docs.ts'
import { SubmitResponse } from './schemas.ts'
import { submitRequestBody } from './submit-request-body.ts'

/** The submit of March 2025: another path, other status names, and a default model. */
export const submitLegacyVideo: RouteDefinition = {
  method: 'POST',
  path: '/v1/video',
  docs: {
    id: 'submitFirst',
    tag: 'Videos',
    summary: 'Submit a video, in the format of March 2025',
    headers: submitHeaders,
    body: jsonContent({
      type: 'object',
      properties: { modelSlug: { type: 'string' }, prompt: { type: 'string' } },
    }),
    errorStatuses: submitErrorStatuses,
  },
  response: SubmitResponse,
  rateLimit: 'submit',
  respond: async (deps, request) => {
    const body = { modelSlug: 'longstories-movie', ...withoutEmptyValues(readBodyObject(request.body)) }
    return {
      ...(await submitRequestBody(deps, request, body)),
      status: 'PENDING',
      isCompleted: false,
      isSuccess: false,
    }
  },
}

function withoutEmptyValues(body: RequestBody): RequestBody {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => !isEmpty(value)))
}
