import { readBodyObject } from '../../body/request-body.ts'
import { jsonContent, schemaRef } from '../../openapi/operation.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { SubmitResponse } from '../schemas.ts'
import { submitRequestBody } from './accept-submission.ts'
import { submitErrorStatuses, submitHeaders } from './submission-docs.ts'

export const submitVideo: RouteDefinition = {
  method: 'POST',
  path: '/generate-video',
  docs: {
    id: 'submitVideo',
    tag: 'Videos',
    summary: 'Submit a video',
    description:
      'Answers as soon as the job is stored. Values are read leniently (`"8"`, `"8s"` and `8` are one), names without regard to case and underscores; what is not used, and a value that is rendered and billed as the closest one that the model has, is named in `warnings`.',
    headers: submitHeaders,
    body: jsonContent(schemaRef('VideoRequest')),
    errorStatuses: submitErrorStatuses,
  },
  code: 202,
  schema: SubmitResponse,
  rateLimit: 'submit',
  respond: (deps, request) => submitRequestBody(deps, request, readBodyObject(request.body)),
}
