import type { Input, JsonObject } from '../../input.ts'
import { textOrImage } from '../../models.ts'
import type { EndpointMapping } from '../../provider.ts'
import { frameOf, seconds, withPrompt } from './body.ts'

type Version = 'v4.5' | 'v5'

export const falPixverse: Readonly<Record<string, EndpointMapping>> = {
  'pixverse-v45': pixverse('v4.5'),
  'pixverse-v5': pixverse('v5'),
}

/** Effects, sound and fast motion of PixVerse are other endpoints at FAL, or missing. */
function pixverse(version: Version): EndpointMapping {
  return {
    ...textOrImage(
      `fal-ai/pixverse/${version}/text-to-video`,
      `fal-ai/pixverse/${version}/image-to-video`,
      withPrompt({
        text: (input) => ({ ...pixverseBody(input), aspect_ratio: frameOf(input).ratio }),
        image: (input) => ({ ...pixverseBody(input), camera_movement: input.cameraMovement }),
      }),
    ),
    unsupported: (input) => unsupportedByPixverse(input, version),
  }
}

function pixverseBody(input: Input): JsonObject {
  return {
    resolution: frameOf(input).resolution,
    duration: seconds(input),
    style: input.style,
    negative_prompt: input.negative_prompt,
    seed: input.seed,
  }
}

function unsupportedByPixverse(input: Input, version: Version): string | undefined {
  if (input.effect !== undefined) return 'FAL names the effects of PixVerse otherwise'
  if (input.soundEffectSwitch === true) return 'FAL adds sound to PixVerse in a second job only'
  if (input.motionMode === 'fast') return 'FAL has no fast motion for PixVerse'
  if (input.cameraMovement !== undefined && (version === 'v5' || input.image === undefined)) {
    return 'FAL moves the camera of PixVerse 4.5 with an image only'
  }
  if (frameOf(input).resolution === '1080p' && input.duration === 8) {
    return 'FAL renders 1080p of PixVerse in 5 s only'
  }
  return undefined
}
