import type { Input } from '../../input.ts'
import type { Offer } from '../../provider.ts'
import { seconds, textOrImage } from './body.ts'
import { frameOf } from './frame.ts'

/** PixVerse as far as FAL has it: its effects, sound and fast motion are other endpoints or nowhere. */
export function pixverse(version: 'v4.5' | 'v5'): Offer {
  const body = (input: Input) => ({
    resolution: frameOf(input).resolution,
    duration: seconds(input),
    style: input.style,
    negative_prompt: input.negative_prompt,
    seed: input.seed,
  })
  const app = `fal-ai/pixverse/${version}`
  return {
    ...textOrImage(`${app}/text-to-video`, `${app}/image-to-video`, {
      text: (input) => ({ ...body(input), aspect_ratio: frameOf(input).ratio }),
      image: (input) => ({ ...body(input), camera_movement: input.cameraMovement }),
    }),
    refuses: (input) => unlikePixverse(input, version),
  }
}

function unlikePixverse(input: Input, version: 'v4.5' | 'v5'): string | undefined {
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
