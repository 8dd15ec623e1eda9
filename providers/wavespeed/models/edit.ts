import type { Offer } from '../../provider.ts'
import { only } from './body.ts'

/** Models that let a picture speak, or change a video that there is. */
export const edit = {
  'veed-fabric-1.0': {
    endpoints: { image: 'veed/fabric-1.0' },
    translate: (input) => ({ endpoint: 'image', body: only(input, 'image', 'audio', 'resolution') }),
  },

  'bytedance-avatar-omni-human-1.5': {
    endpoints: { image: 'bytedance/avatar-omni-human-1.5' },
    translate: (input) => ({ endpoint: 'image', body: only(input, 'image', 'audio') }),
    refuses: (input) => (input.prompt === undefined ? undefined : 'WaveSpeed takes no prompt for this model'),
  },

  'kling-lipsync-t2v': {
    endpoints: { video: 'kwaivgi/kling-lipsync/text-to-video' },
    translate: (input) => ({
      endpoint: 'video',
      body: { ...only(input, 'video', 'voice_id', 'voice_language', 'voice_speed'), text: input.prompt },
    }),
  },
  'kling-lipsync-a2v': {
    endpoints: { video: 'kwaivgi/kling-lipsync/audio-to-video' },
    translate: (input) => ({ endpoint: 'video', body: only(input, 'video', 'audio') }),
  },

  'runwayml-gen4-aleph': {
    endpoints: { video: 'runwayml/gen4-aleph' },
    translate: (input) => {
      const still = input.referenceImages?.[0]
      return {
        endpoint: 'video',
        body: {
          ...only(input, 'prompt', 'video'),
          ...(input.aspect_ratio === 'auto' ? {} : only(input, 'aspect_ratio')),
          ...(still === undefined ? {} : { reference_image: still }),
        },
      }
    },
    refuses: (input) =>
      (input.referenceImages?.length ?? 0) > 1
        ? 'WaveSpeed takes one reference image for this model'
        : undefined,
    note: 'Gen-4 Aleph has left the list of WaveSpeed; runwayml/aleph-2 succeeds it with other fields. There is no aspect ratio "auto": it is left out, which reads as 16:9.',
  },

  'video-upscaler': {
    endpoints: { video: 'wavespeed-ai/video-upscaler' },
    translate: (input) => ({
      endpoint: 'video',
      body: { ...only(input, 'video'), target_resolution: input.size ?? input.resolution, copy_audio: true },
    }),
  },
  'bytedance-seedance-upscaler': {
    endpoints: { video: 'bytedance/video-upscaler' },
    translate: (input) => ({
      endpoint: 'video',
      body: { ...only(input, 'video'), target_resolution: input.size ?? input.resolution },
    }),
  },
} as const satisfies Record<string, Offer>
