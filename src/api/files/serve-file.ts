import { Type } from '@sinclair/typebox'
import { ApiError } from '../errors.ts'
import { describeResponse } from '../openapi/operation.ts'
import type { RouteDefinition } from '../route-definition.ts'
import { sendFile } from './send-file.ts'

const fileNamePattern = /^[0-9a-f]{40}\.(mp4|jpg)$/
const fileParams = Type.Object({ name: Type.String() })
const fileSchema = { type: 'string', format: 'binary' }

/** Finished videos and their thumbnails for clients, under names that cannot be guessed. No redirect. */
export const serveFile: RouteDefinition<{ params: typeof fileParams }> = {
  method: ['GET', 'HEAD'],
  path: '/files/:name',
  docs: {
    id: 'file',
    tag: 'Files',
    summary: 'Download a finished video or its thumbnail by the link in a job status',
    replies: {
      200: describeResponse('The file.', { 'video/mp4': fileSchema, 'image/jpeg': fileSchema }),
      206: describeResponse('The requested range.', { 'video/mp4': fileSchema }),
    },
    errorStatuses: [404, 410, 416],
  },
  params: fileParams,
  isPublic: true,
  quiet: true,
  respond: async ({ files: storedFiles }, request, reply) => {
    const { name } = request.params
    const extension = fileNamePattern.exec(name)?.[1]
    const file =
      extension === 'mp4'
        ? await storedFiles.video(name)
        : extension === 'jpg'
          ? await storedFiles.findThumbnail(name)
          : undefined
    if (file === undefined) throw new ApiError('not_found', 'There is no such file')
    if (file === 'gone') throw new ApiError('gone', 'This video is not kept any more')
    return sendFile(request, reply, file)
  },
}
