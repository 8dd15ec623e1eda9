import type { FastifyReply, FastifyRequest } from 'fastify'
import { text } from '../../../providers/reader.ts'
import { isTerminal, type JobView } from '../../jobs/job.ts'
import { isThumbnailKind } from '../../media/results/thumbnails.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'
import { sendFile, sendRemoteFile } from '../files/send-file.ts'
import { resolveBaseUrl, toAbsoluteUrl } from '../requests/base-url.ts'
import { readJobId } from '../requests/job-id.ts'
import { requireOwnJob } from '../requests/own-job.ts'

/** The bytes of a finished video or of a picture of it; or its link, for those who take JSON only. */
export async function sendContent(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  id = readJobId(request.query),
): Promise<unknown> {
  const variant = text(request.query, 'variant')?.trim().toLowerCase() || 'video'
  if (variant !== 'video' && !isThumbnailKind(variant)) {
    const message = `\`variant\` must be one of video, thumbnail, spritesheet; got ${JSON.stringify(variant.slice(0, 40))}`
    throw new ApiError('invalid_parameter_value', message, { param: 'variant' })
  }
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

/** An automation program that can read nothing else asks for `application/json` and nothing wider. */
function acceptsOnlyJson(accept = '*/*'): boolean {
  return /application\/json/i.test(accept) && !/\*\/\*|video\/|image\//i.test(accept)
}

function toRemoteRequest({ method, headers: { range } }: FastifyRequest) {
  return {
    method: method === 'HEAD' ? 'HEAD' : 'GET',
    headers: range === undefined ? {} : { range },
  } as const
}
