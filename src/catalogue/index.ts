import { bytedance } from './bytedance.ts'
import { faceSwap } from './face-swap.ts'
import { hailuo23 } from './hailuo-23.ts'
import { hunyuan } from './hunyuan.ts'
import { kling } from './kling.ts'
import { kling21 } from './kling-21.ts'
import { kling25 } from './kling-25.ts'
import { lightricks } from './lightricks.ts'
import { lipsync } from './lipsync.ts'
import { longstories } from './longstories.ts'
import { midjourney } from './midjourney.ts'
import { minimax } from './minimax.ts'
import type { Model } from './model.ts'
import { pixverse } from './pixverse.ts'
import { runway } from './runway.ts'
import { seedance } from './seedance.ts'
import { sora } from './sora.ts'
import { talkingHeads } from './talking-heads.ts'
import { upscalers } from './upscalers.ts'
import { veo } from './veo.ts'
import { vidu } from './vidu.ts'
import { wan } from './wan.ts'
import { wanWavespeed } from './wan-wavespeed.ts'

/** Every model, in the order of the model lists. */
export const models: readonly Model[] = [
  ...veo,
  ...wan,
  ...seedance,
  ...minimax,
  ...kling,
  ...hunyuan,
  ...sora,
  ...wanWavespeed,
  ...talkingHeads,
  ...lipsync,
  ...lightricks,
  ...runway,
  ...upscalers,
  ...bytedance,
  ...kling25,
  ...hailuo23,
  ...kling21,
  ...vidu,
  ...pixverse,
  ...midjourney,
  ...faceSwap,
  ...longstories,
]

const byId = new Map(models.map((model) => [model.id, model]))

export function findModel(id: string): Model | undefined {
  return byId.get(id.trim().toLowerCase())
}
