import type { Sandbox } from './mock-upstream.ts'
import { sandbox as bytedance } from './upstreams/bytedance.ts'
import { sandbox as fal } from './upstreams/fal.ts'
import { sandbox as longstories } from './upstreams/longstories.ts'
import { sandbox as magicapi } from './upstreams/magicapi.ts'
import { sandbox as midjourney } from './upstreams/midjourney.ts'
import { sandbox as runware } from './upstreams/runware.ts'
import { sandbox as wavespeed } from './upstreams/wavespeed.ts'

/** A stand-in for every upstream. */
export const sandboxes: readonly Sandbox[] = [
  fal,
  wavespeed,
  runware,
  bytedance,
  midjourney,
  magicapi,
  longstories,
]
