import type { Input, JsonObject } from '../input.ts'
import type { Offer } from '../provider.ts'

/** The products that API.market has sold this model as; the setting MAGICAPI_FLAVOR picks one. */
export const products = {
  v3: '/api/v1/magicapi/faceswap-video-v3',
  capix: '/api/v1/magicapi/faceswap-capix/video',
  v2: '/api/v1/magicapi/faceswap-v2/faceswap/video',
} as const

export type Flavor = keyof typeof products

export const offers: Readonly<Record<string, Offer>> = {
  'magicapi-video-face-swap': {
    endpoints: { video: 'run' },
    translate: (input) => ({ endpoint: 'video', body: { input: faceSwap(input) } }),
    note: 'Whether the product v3 takes a face index is not documented: it is sent only when asked for',
  },
}

/** -1 stands for the face that fits best, which is what the upstream picks when it is told nothing. */
function faceSwap({ swapImage, targetVideo, targetFaceIndex = -1 }: Input): JsonObject {
  return {
    swap_image: swapImage,
    target_video: targetVideo,
    ...(targetFaceIndex >= 0 && { target_face_index: targetFaceIndex }),
  }
}

/** The same as the product `capix` takes it: a form, and the first face where none is told. */
export function capixForm({ swapImage = '', targetVideo = '', targetFaceIndex = 0 }: Input) {
  return {
    target_url: targetVideo,
    swap_url: swapImage,
    target_face_index: String(Math.max(targetFaceIndex, 0)),
  }
}
