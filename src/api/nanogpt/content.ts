import type { FastifyReply, FastifyRequest } from 'fastify'
import { text } from '../../../providers/reader.ts'
import { isTerminal, type View } from '../../engine/job.ts'
import { isStill } from '../../media/stills.ts'
import { ApiError } from '../errors.ts'
import type { AppParts } from '../parts.ts'
import { sendElsewhere, sendFile } from '../send-file.ts'
import { readJobId } from './job-id.ts'
import { absolute, addressOf } from './links.ts'
import { ownJob } from './own-job.ts'

/** The bytes of a finished video or of a picture of it; or its link, for those who take JSON only. */
export async function content(
  parts: AppParts,
  request: FastifyRequest,
  reply: FastifyReply,
  id = readJobId(request.query),
): Promise<unknown> {
  const variant = text(request.query, 'variant')?.trim().toLowerCase() || 'video'
  if (variant !== 'video' && !isStill(variant)) {
    const message = `\`variant\` must be one of video, thumbnail, spritesheet; got ${JSON.stringify(variant.slice(0, 40))}`
    throw new ApiError('invalid_parameter_value', message, { param: 'variant' })
  }
  const view = await ownJob(parts.engine, request, id)
  const link = linkOf(view)
  const name = /^\/files\/(.+)$/.exec(link)?.[1]
  const address = addressOf(request, parts.config.publicUrl)
  const wantsJson = takesJsonOnly(request.headers.accept)

  if (variant === 'video' && wantsJson) return described(view, variant, absolute(address, link))
  if (name === undefined) {
    if (variant === 'video')
      return sendElsewhere(request, reply, () => parts.files.elsewhere(link, askOf(request)))
    throw new ApiError('not_found', `There is no ${variant} of this video: it is not kept here`)
  }
  const video = await parts.files.video(name)
  if (video === undefined || video === 'gone') throw new ApiError('gone', 'This video is not kept any more')
  if (variant === 'video') return sendFile(request, reply, video)
  const still = await parts.files.still(name, video, variant)
  if (still === undefined) {
    throw new ApiError(
      'not_found',
      `There is no ${variant} of this video: this gateway has no ffmpeg that can make one`,
    )
  }
  return wantsJson
    ? described(view, variant, `${address}/files/${still.name}`)
    : sendFile(request, reply, still)
}

function linkOf({ id, state, videos }: View): string {
  const link = videos?.[0]?.url
  if (state === 'succeeded' && link !== undefined) return link
  if (isTerminal(state)) throw new ApiError('not_found', `The job ${id} ended without a video`)
  throw new ApiError('conflict', `The job ${id} is not finished yet`, { headers: { 'Retry-After': '2' } })
}

function described({ id, model }: View, variant: string, url: string) {
  return { data: { url, variant }, url, runId: id, model }
}

/** An automation program that can read nothing else asks for `application/json` and nothing wider. */
function takesJsonOnly(accept = '*/*'): boolean {
  return /application\/json/i.test(accept) && !/\*\/\*|video\/|image\//i.test(accept)
}

function askOf({ method, headers: { range } }: FastifyRequest) {
  return {
    method: method === 'HEAD' ? 'HEAD' : 'GET',
    headers: range === undefined ? {} : { range },
  } as const
}
