import type { Input, JsonObject } from '../../input.ts'
import { oneEndpoint } from '../../models.ts'
import type { EndpointMapping } from '../../provider.ts'
import { arkSeedance, withoutParameters } from './seedance.ts'

export const arkMappings: Readonly<Record<string, EndpointMapping>> = {
  ...arkSeedance,
  'bytedance-seedance-v1-pro-fast': {
    host: 'ark',
    ...oneEndpoint('video', 'seedance-1-0-pro-fast-251015', seedanceBody),
    note: 'The id is BytePlus’; Volcengine calls the model doubao-seedance-1-0-pro-fast-251015. The model has to be activated in the console',
  },
}

function seedanceBody(input: Input): JsonObject {
  const { image, resolution, duration, seed, camera_fixed, aspect_ratio } = input
  const prompt = withoutParameters(input.prompt ?? '')
  return {
    content: [
      ...(prompt === '' ? [] : [{ type: 'text', text: prompt }]),
      ...(image === undefined ? [] : [{ type: 'image_url', image_url: { url: image }, role: 'first_frame' }]),
    ],
    ...(resolution !== undefined && { resolution }),
    ...(aspect_ratio !== undefined && { ratio: aspect_ratio }),
    ...(duration !== undefined && { duration }),
    ...(seed !== undefined && { seed }),
    ...(camera_fixed !== undefined && { camera_fixed }),
    watermark: false,
  }
}
