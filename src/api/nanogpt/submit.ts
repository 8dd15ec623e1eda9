import { readBodyObject } from '../body/request-body.ts'
import { jsonContent, schemaRef } from '../openapi/operation.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { submitErrorStatuses, submitHeaders } from '../submission/submission-docs.ts'
import { SubmitResponse } from './schemas.ts'
import { submitRequestBody } from './submit-request-body.ts'

export const submitVideo: RouteDefinition = {
  method: 'POST',
  path: '/generate-video',
  docs: {
    id: 'submitVideo',
    tag: 'Videos',
    summary: 'Submit a video',
    description:
      'Responds as soon as the job is stored. Values are parsed leniently (`"8"`, `"8s"` and `8` are the same); case and underscores in field names do not matter. `warnings` lists the fields that were ignored, and the values that were replaced by the closest ones that the model supports, which are rendered and billed.',
    headers: submitHeaders,
    body: jsonContent(schemaRef('VideoRequest')),
    errorStatuses: submitErrorStatuses,
  },
  code: 202,
  response: SubmitResponse,
  rateLimit: 'submit',
  respond: (deps, request) => submitRequestBody(deps, request, readBodyObject(request.body)),
}
