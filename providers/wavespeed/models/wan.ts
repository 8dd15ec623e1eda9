import type { Input } from '../../input.ts'
import { oneEndpoint, pick } from '../../models.ts'
import type { EndpointMapping } from '../../provider.ts'

/** The Wan models with `wavespeed` in their IDs. */
export const wavespeedWan: Readonly<Record<string, EndpointMapping>> = {
  'wan-wavespeed-s2v': oneEndpoint('image', 'wavespeed-ai/wan-2.2/speech-to-video', (input) =>
    pick(input, 'image', 'audio', 'prompt', 'resolution', 'seed'),
  ),

  'wan-wavespeed-video-edit': oneEndpoint('video', 'wavespeed-ai/wan-2.2/video-edit', (input) =>
    pick(input, 'prompt', 'video', 'resolution', 'seed'),
  ),

  'wan-wavespeed-22-spicy-extend': oneEndpoint('video', 'wavespeed-ai/wan-2.2-spicy/video-extend', (input) =>
    pick(input, 'prompt', 'video', 'resolution', 'duration', 'seed'),
  ),

  'wan-wavespeed-22-animate': oneEndpoint('video', 'wavespeed-ai/wan-2.2/animate', (input) =>
    pick(input, 'image', 'video', 'prompt', 'mode', 'resolution', 'seed'),
  ),

  'wan-wavespeed-22-plus': {
    endpoints: {
      'text-480p': 'alibaba/wan-2.2/t2v-plus-480p',
      'text-720p': 'wavespeed-ai/wan-2.2/t2v-720p',
      'text-1080p': 'alibaba/wan-2.2/t2v-plus-1080p',
      'image-480p': 'alibaba/wan-2.2/i2v-plus-480p',
      'image-720p': 'wavespeed-ai/wan-2.2/i2v-720p',
      'image-1080p': 'alibaba/wan-2.2/i2v-plus-1080p',
    },
    toRequest: (input) => {
      const { tier, size } = frameOf(input, '480p')
      const shared = { ...pick(input, 'prompt', 'image', 'negative_prompt', 'seed'), duration: 5 }
      const body =
        tier === '720p' ? shared : { ...shared, enable_prompt_expansion: input.enhancePrompt ?? false }
      return input.image === undefined
        ? { endpoint: `text-${tier}`, body: { ...body, size } }
        : { endpoint: `image-${tier}`, body }
    },
    note: 'Wan 2.2 Plus has left the list of WaveSpeed and never had a 720p path: 720p is rendered by plain Wan 2.2, the nearest one.',
  },

  'wan-wavespeed-25': {
    endpoints: { text: 'alibaba/wan-2.5/text-to-video', image: 'alibaba/wan-2.5/image-to-video' },
    toRequest: (input) => {
      const { tier, size } = frameOf(input, '720p')
      const body = {
        ...pick(input, 'prompt', 'image', 'audio', 'negative_prompt', 'duration', 'seed'),
        enable_prompt_expansion: input.enhancePrompt ?? false,
      }
      return input.image === undefined
        ? { endpoint: 'text', body: { ...body, size } }
        : { endpoint: 'image', body: { ...body, resolution: tier } }
    },
  },
}

const frames = {
  '480p': { landscape: '832*480', portrait: '480*832' },
  '720p': { landscape: '1280*720', portrait: '720*1280' },
  '1080p': { landscape: '1920*1080', portrait: '1080*1920' },
} as const

type Tier = keyof typeof frames

/** The tier and its pixels; `size` (a tier or pixels) is more exact and takes precedence over `resolution`. */
function frameOf(input: Input, defaultTier: Tier): { tier: Tier; size: string } {
  const [width, height] = (input.size ?? '').split('x').map(Number)
  if (width !== undefined && height !== undefined) {
    return { tier: tierOf(`${Math.min(width, height)}p`) ?? defaultTier, size: `${width}*${height}` }
  }
  const tier = tierOf(input.size) ?? tierOf(input.resolution) ?? defaultTier
  return { tier, size: frames[tier][input.aspect_ratio === '9:16' ? 'portrait' : 'landscape'] }
}

function tierOf(value: string | undefined): Tier | undefined {
  return (Object.keys(frames) as Tier[]).find((tier) => tier === value)
}
