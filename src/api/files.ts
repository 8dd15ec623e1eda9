import type { FastifyInstance } from 'fastify'
import { ApiError } from './errors.ts'
import type { AppParts } from './parts.ts'
import { sendFile } from './send-file.ts'

const fileName = /^[0-9a-f]{40}\.(mp4|jpg)$/

const config = { quiet: true }

/** Files under names that cannot be guessed: finished videos for clients, inputs for upstreams. No key, no redirect. */
export function files(app: FastifyInstance, { files: found }: Pick<AppParts, 'files'>): void {
  app.route<{ Params: { name: string } }>({
    method: ['GET', 'HEAD'],
    url: '/files/:name',
    config,
    handler: async (request, reply) => {
      const { name } = request.params
      const extension = fileName.exec(name)?.[1]
      const file =
        extension === 'mp4'
          ? await found.video(name)
          : extension === 'jpg'
            ? await found.picture(name)
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
    config,
    handler: async (request, reply) => {
      const input = await found.input(request.params['*'])
      if (input === undefined) throw new ApiError('not_found', 'There is no such file')
      if (input === 'gone') throw new ApiError('gone', 'This link has expired')
      return sendFile(request, reply, input)
    },
  })
}
