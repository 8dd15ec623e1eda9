import type { Input, JsonObject } from '../../input.ts'
import { oneEndpoint, textOrImage } from '../../models.ts'
import type { EndpointMapping } from '../../provider.ts'
import { imageOnly, ratioBesideImage, seconds, withPrompt } from './body.ts'

export const falKling: Readonly<Record<string, EndpointMapping>> = {
  'kling-video': {
    ...oneEndpoint('text', 'fal-ai/kling-video/v1.6/standard/text-to-video', (input) => ({
      prompt: input.prompt,
      ...klingTextBody(input),
    })),
    note: 'Which Kling 1.x the name stands for is inferred; v1.6/pro and v1/standard take the same fields.',
  },
  'kling-video-v2': textOrImage(
    'fal-ai/kling-video/v2/master/text-to-video',
    'fal-ai/kling-video/v2/master/image-to-video',
    withPrompt({ text: klingTextBody, image: klingBody }),
  ),
  'kling-v21-standard': {
    ...imageOnly('fal-ai/kling-video/v2.1/standard/image-to-video', klingBody),
    unsupported: ratioBesideImage,
  },
  'kling-v21-pro': {
    ...imageOnly('fal-ai/kling-video/v2.1/pro/image-to-video', klingFramesBody),
    unsupported: (input) =>
      input.image === undefined ? 'FAL renders Kling 2.1 Pro from an image only' : ratioBesideImage(input),
    note: 'Missing from the client package of May 2026.',
  },
  'kling-v21-master': {
    ...textOrImage(
      'fal-ai/kling-video/v2.1/master/text-to-video',
      'fal-ai/kling-video/v2.1/master/image-to-video',
      withPrompt({ text: klingTextBody, image: klingBody }),
    ),
    unsupported: ratioBesideImage,
  },
  'kling-v25-turbo-pro': textOrImage(
    'fal-ai/kling-video/v2.5-turbo/pro/text-to-video',
    'fal-ai/kling-video/v2.5-turbo/pro/image-to-video',
    withPrompt({ text: klingTextBody, image: klingFramesBody }),
  ),
  'kling-v25-turbo-std': imageOnly('fal-ai/kling-video/v2.5-turbo/standard/image-to-video', klingBody),
  'kling-lipsync-a2v': oneEndpoint('video', 'fal-ai/kling-video/lipsync/audio-to-video', (input) => ({
    video_url: input.video,
    audio_url: input.audio,
  })),
  'kling-lipsync-t2v': oneEndpoint('video', 'fal-ai/kling-video/lipsync/text-to-video', (input) => ({
    video_url: input.video,
    text: input.prompt,
    voice_id: input.voice_id,
    voice_language: input.voice_language,
    voice_speed: input.voice_speed,
  })),
}

function klingBody(input: Input): JsonObject {
  return {
    duration: seconds(input),
    negative_prompt: input.negative_prompt,
    cfg_scale: input.cfg_scale ?? 0.5,
  }
}

function klingTextBody(input: Input): JsonObject {
  return { aspect_ratio: input.aspect_ratio, ...klingBody(input) }
}

function klingFramesBody(input: Input): JsonObject {
  return { ...klingBody(input), tail_image_url: input.last_image }
}
