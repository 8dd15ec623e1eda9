import type { Input, JsonObject } from '../input.ts'
import { pixelsOf, settings, told } from './body.ts'

/** What PixVerse takes beyond the common fields: a size or, beside an image, a resolution, never both. */
export function pixverse(input: Input): JsonObject {
  return {
    ...(input.image === undefined ? sizeOf(input) : { resolution: resolutionOf(input) }),
    ...told({ seed: input.seed }),
    ...settings('pixverse', {
      style: input.style,
      ...special(input),
      motionMode: input.motionMode,
      soundEffectSwitch: input.soundEffectSwitch,
      soundEffectContent: input.soundEffectSwitch === true ? input.soundEffectPrompt : undefined,
    }),
  }
}

function sizeOf({ size = '16:9', resolution = '720p' }: Input) {
  return pixelsOf(size, Number.parseInt(resolution, 10))
}

/** The resolution that a size belongs to: its shorter side. */
function resolutionOf(input: Input): string {
  const { width, height } = sizeOf(input)
  return `${Math.min(width, height)}p`
}

/** An effect and a camera movement exclude each other; where both are given, `effectType` says which is meant. */
function special({ effect, cameraMovement, effectType = '' }: Input): JsonObject {
  return effect === undefined || (cameraMovement !== undefined && /camera/i.test(effectType))
    ? { cameraMovement }
    : { effect }
}
