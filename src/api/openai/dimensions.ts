export type Dimensions = { width: number; height: number }

type AspectRatio = { across: number; down: number }

const shortSides: Readonly<Record<string, number>> = { '1k': 1024, '2k': 1440, '4k': 2160 }

/** How many pixels a resolution (`720p`, `4k`, `1792x1024`) has in an aspect ratio (`9:16`), if both are known. */
export function dimensionsOf(resolution: string, aspectRatio: string | undefined): Dimensions | undefined {
  const ratio = parseAspectRatio(aspectRatio ?? '')
  const sides = /^(\d+)x(\d+)$/i.exec(resolution)?.slice(1).map(Number)
  if (sides !== undefined) {
    const [long, short] = [Math.max(...sides), Math.min(...sides)]
    const portrait = ratio !== undefined && ratio.across < ratio.down
    return portrait ? { width: short, height: long } : { width: long, height: short }
  }
  const short = shortSides[resolution.toLowerCase()] ?? Number(/^(\d+)p$/i.exec(resolution)?.[1])
  return ratio === undefined || Number.isNaN(short) ? undefined : dimensionsFromShortSide(short, ratio)
}

export function parseAspectRatio(text: string): AspectRatio | undefined {
  const [across = 0, down = 0] = /^(\d+):(\d+)$/.exec(text)?.slice(1).map(Number) ?? []
  return across > 0 && down > 0 ? { across, down } : undefined
}

/** Both sides where the shorter one is known; even, as codecs want them. */
export function dimensionsFromShortSide(short: number, { across, down }: AspectRatio): Dimensions {
  const long = Math.round((short * Math.max(across, down)) / Math.min(across, down) / 2) * 2
  return across < down ? { width: short, height: long } : { width: long, height: short }
}
