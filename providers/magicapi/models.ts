import type { Input, JsonObject } from '../input.ts'
import { oneEndpoint } from '../models.ts'
import type { EndpointMapping } from '../provider.ts'

/** The products that API.market has sold this model as; the setting MAGICAPI_FLAVOR picks one. */
export const magicapiProducts = {
  v3: '/api/v1/magicapi/faceswap-video-v3',
  capix: '/api/v1/magicapi/faceswap-capix/video',
  v2: '/api/v1/magicapi/faceswap-v2/faceswap/video',
} as const

export type Flavor = keyof typeof magicapiProducts

export const magicapiMappings: Readonly<Record<string, EndpointMapping>> = {
  'magicapi-video-face-swap': {
    ...oneEndpoint('video', 'run', (input) => ({ input: faceSwapBody(input) })),
    note: 'Whether the product v3 takes a face index is not documented: it is sent only if given',
  },
}

/** -1 stands for the face that fits best, which is the upstream's default. */
function faceSwapBody({ swapImage, targetVideo, targetFaceIndex = -1 }: Input): JsonObject {
  return {
    swap_image: swapImage,
    target_video: targetVideo,
    ...(targetFaceIndex >= 0 && { target_face_index: targetFaceIndex }),
  }
}

/** The form of the product `capix`; its default is the first face. */
export function capixForm({ swapImage = '', targetVideo = '', targetFaceIndex = 0 }: Input) {
  return {
    target_url: targetVideo,
    swap_url: swapImage,
    target_face_index: String(Math.max(targetFaceIndex, 0)),
  }
}
