import type { FastifyInstance } from 'fastify'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { sendFile } from './send-file.ts'

const fileNamePattern = /^[0-9a-f]{40}\.(mp4|jpg)$/

const routeConfig = { quiet: true }

/** Files under names that cannot be guessed: finished videos for clients, inputs for upstreams. No key, no redirect. */
export function registerFileRoutes(
  app: FastifyInstance,
  { files: storedFiles }: Pick<ApiDeps, 'files'>,
): void {
  app.route<{ Params: { name: string } }>({
    method: ['GET', 'HEAD'],
    url: '/files/:name',
    config: routeConfig,
    handler: async (request, reply) => {
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
  })
  // A router's named parameters may not be as long as a signed name.
  app.route<{ Params: { '*': string } }>({
    method: ['GET', 'HEAD'],
    url: '/media/*',
    config: routeConfig,
    handler: async (request, reply) => {
      const input = await storedFiles.input(request.params['*'])
      if (input === undefined) throw new ApiError('not_found', 'There is no such file')
      if (input === 'gone') throw new ApiError('gone', 'This link has expired')
      return sendFile(request, reply, input)
    },
  })
}
