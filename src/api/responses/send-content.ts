import type { Static } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isTerminal, type JobView } from '../../jobs/job.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { sendFile, sendRemoteFile } from '../files/send-file.ts'
import { resolveBaseUrl, toAbsoluteUrl } from '../requests/base-url.ts'
import { requireOwnJob } from '../requests/own-job.ts'
import { enumParameter } from '../requests/query.ts'

export const variantParameter = enumParameter(['video', 'thumbnail', 'spritesheet'], 'video')

type Content = { id: string; variant: Static<typeof variantParameter> }

/** The bytes of a finished video or of a picture of it; or its link, if the client accepts JSON only. */
export async function sendContent(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { id, variant }: Content,
): Promise<unknown> {
  const view = await requireOwnJob(deps.engine, request, id)
  const videoUrl = requireVideoUrl(view)
  const fileName = /^\/files\/(.+)$/.exec(videoUrl)?.[1]
  const baseUrl = resolveBaseUrl(request, deps.config.publicUrl)
  const wantsJson = acceptsOnlyJson(request.headers.accept)

  if (variant === 'video' && wantsJson) return toContentLink(view, variant, toAbsoluteUrl(baseUrl, videoUrl))
  if (fileName === undefined) {
    if (variant === 'video')
      return sendRemoteFile(request, reply, () =>
        deps.files.fetchExternal(videoUrl, toRemoteRequest(request)),
      )
    throw new ApiError('not_found', `There is no ${variant} of this video: it is not kept here`)
  }
  const video = await deps.files.video(fileName)
  if (video === undefined || video === 'gone') throw new ApiError('gone', 'This video is not kept any more')
  if (variant === 'video') return sendFile(request, reply, video)
  const thumbnail = await deps.files.createThumbnail(fileName, video, variant)
  if (thumbnail === undefined) {
    throw new ApiError(
      'not_found',
      `There is no ${variant} of this video: this gateway has no ffmpeg that can make one`,
    )
  }
  return wantsJson
    ? toContentLink(view, variant, `${baseUrl}/files/${thumbnail.name}`)
    : sendFile(request, reply, thumbnail)
}

function requireVideoUrl({ id, state, videos }: JobView): string {
  const url = videos?.[0]?.url
  if (state === 'succeeded' && url !== undefined) return url
  if (isTerminal(state)) throw new ApiError('not_found', `The job ${id} ended without a video`)
  throw new ApiError('conflict', `The job ${id} is not finished yet`, { headers: { 'Retry-After': '2' } })
}

function toContentLink({ id, model }: JobView, variant: string, url: string) {
  return { data: { url, variant }, url, runId: id, model }
}

/** Automation programs that need a link accept `application/json` and nothing wider. */
function acceptsOnlyJson(accept = '*/*'): boolean {
  return /application\/json/i.test(accept) && !/\*\/\*|video\/|image\//i.test(accept)
}

function toRemoteRequest({ method, headers: { range } }: FastifyRequest) {
  return {
    method: method === 'HEAD' ? 'HEAD' : 'GET',
    headers: range === undefined ? {} : { range },
  } as const
}
