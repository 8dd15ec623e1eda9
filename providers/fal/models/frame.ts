import type { Input } from '../../input.ts'

/** Ratio and resolution as FAL asks for them, where our `size` holds one, the other or both (`9:16`, `720p`, `720x1280`). */
export function frameOf({ size, aspect_ratio, resolution }: Input): { ratio: string; resolution: string } {
  const named = { ratio: aspect_ratio ?? '16:9', resolution: resolution ?? '720p' }
  if (size === undefined) return named
  if (/^\d+:\d+$/.test(size)) return { ...named, ratio: size }
  if (/^\d+p$/.test(size)) return { ...named, resolution: size }
  const [width, height] = size.split('x').map(Number)
  if (!width || !height) return named
  return { ratio: nearestRatio(width / height), resolution: `${Math.min(width, height)}p` }
}

/** Sizes such as 832x480 are named after the ratio that they are near to. */
function nearestRatio(wanted: number): string {
  const off = (ratio: string) => {
    const [width = 1, height = 1] = ratio.split(':').map(Number)
    return Math.abs(Math.log(width / height / wanted))
  }
  return ['16:9', '4:3', '1:1', '3:4', '9:16'].reduce((best, ratio) =>
    off(ratio) < off(best) ? ratio : best,
  )
}
