import type { Model } from '../model.ts'
import { happyhorseModels } from './alibaba/happyhorse.ts'
import { wanModels } from './alibaba/wan.ts'
import { wanWavespeedModels } from './alibaba/wan-wavespeed.ts'
import { wan3Models } from './alibaba/wan3.ts'
import { wan25Models } from './alibaba/wan25.ts'
import { wan27Models } from './alibaba/wan27.ts'
import { bytedanceModels } from './bytedance/bytedance.ts'
import { seedanceModels } from './bytedance/seedance.ts'
import { seedance2Models } from './bytedance/seedance2.ts'
import { faceSwapModels } from './face-swap.ts'
import { veoModels } from './google/veo.ts'
import { veo31Models } from './google/veo31.ts'
import { hunyuan15Models, hunyuanModels } from './hunyuan.ts'
import { kling21Models, kling25Models, klingModels } from './kuaishou/kling.ts'
import { klingOmniModels } from './kuaishou/kling-omni.ts'
import { kling3Models } from './kuaishou/kling3.ts'
import { kling26Models } from './kuaishou/kling26.ts'
import { lightricksModels } from './lightricks.ts'
import { lipsyncModels, talkingHeadModels } from './lipsync.ts'
import { longstoriesModels } from './longstories.ts'
import { ltxModels } from './ltx.ts'
import { lumaModels } from './luma.ts'
import { midjourneyModels } from './midjourney.ts'
import { h3Models } from './minimax/h3.ts'
import { hailuo23FastModels, hailuo23Models, minimaxModels } from './minimax/hailuo.ts'
import { pixverseModels } from './pixverse.ts'
import { pixverseV6Models } from './pixverse-v6.ts'
import { runwayModels } from './runway.ts'
import { runwayGen4Models } from './runway-gen4.ts'
import { soraModels } from './sora.ts'
import { upscalerModels } from './upscalers.ts'
import { viduModels } from './vidu.ts'
import { viduQModels } from './vidu-q.ts'
import { xaiModels } from './xai.ts'

/** Every model, in the order of the model lists. */
export const models: readonly Model[] = [
  ...veoModels,
  ...wanModels,
  ...seedanceModels,
  ...minimaxModels,
  ...klingModels,
  ...hunyuanModels,
  ...soraModels,
  ...wanWavespeedModels,
  ...talkingHeadModels,
  ...lipsyncModels,
  ...lightricksModels,
  ...runwayModels,
  ...upscalerModels,
  ...bytedanceModels,
  ...kling25Models,
  ...hailuo23Models,
  ...kling21Models,
  ...viduModels,
  ...pixverseModels,
  ...midjourneyModels,
  ...faceSwapModels,
  ...longstoriesModels,
  ...kling3Models,
  ...seedance2Models,
  ...viduQModels,
  ...pixverseV6Models,
  ...lumaModels,
  ...veo31Models,
  ...xaiModels,
  ...ltxModels,
  ...runwayGen4Models,
  ...kling26Models,
  ...klingOmniModels,
  ...wan3Models,
  ...wan27Models,
  ...wan25Models,
  ...happyhorseModels,
  ...h3Models,
  ...hailuo23FastModels,
  ...hunyuan15Models,
]

const modelsById = new Map(models.map((model) => [model.id, model]))

export function findModel(id: string): Model | undefined {
  return modelsById.get(id.trim().toLowerCase())
}
