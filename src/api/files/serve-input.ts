import { Type } from '@sinclair/typebox'
import { ApiError } from '../errors.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { sendFile } from './send-file.ts'

const inputParams = Type.Object({ '*': Type.String() })

/** Input files for upstreams, under signed names. */
export const serveInput: RouteDefinition<{ params: typeof inputParams }> = {
  method: ['GET', 'HEAD'],
  // A router's named parameters may not be as long as a signed name.
  path: '/media/*',
  params: inputParams,
  isPublic: true,
  quiet: true,
  respond: async ({ files: storedFiles }, request, reply) => {
    const input = await storedFiles.input(request.params['*'])
    if (input === undefined) throw new ApiError('not_found', 'There is no such file')
    if (input === 'gone') throw new ApiError('gone', 'This link has expired')
    return sendFile(request, reply, input)
  },
}
