import { bytedance } from './bytedance/index.ts'
import { fal } from './fal/index.ts'
import { longstories } from './longstories/index.ts'
import { magicapi } from './magicapi/index.ts'
import { midjourney } from './midjourney/index.ts'
import type { Provider, ProviderName } from './provider.ts'
import { runware } from './runware/index.ts'
import { wavespeed } from './wavespeed/index.ts'

/** Every upstream. */
export const providers: Readonly<Record<ProviderName, Provider>> = {
  fal,
  wavespeed,
  runware,
  bytedance,
  midjourney,
  magicapi,
  longstories,
}
