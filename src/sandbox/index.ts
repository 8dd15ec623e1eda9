import { sandbox as bytedance } from '../../providers/bytedance/sandbox.ts'
import { sandbox as fal } from '../../providers/fal/sandbox.ts'
import { sandbox as longstories } from '../../providers/longstories/sandbox.ts'
import { sandbox as magicapi } from '../../providers/magicapi/sandbox.ts'
import { sandbox as midjourney } from '../../providers/midjourney/sandbox.ts'
import { sandbox as runware } from '../../providers/runware/sandbox.ts'
import type { Sandbox } from '../../providers/sandbox.ts'
import { sandbox as wavespeed } from '../../providers/wavespeed/sandbox.ts'

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
