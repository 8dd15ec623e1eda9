import { at, text } from '../../../providers/reader.ts'
import { normalizeName } from '../fields.ts'

/** The key of `isFrameList`, without case and underscores. */
export const frameListName = 'frameimages'

/** Runware and OpenRouter send the first and last frame in one list: `frameImages: [{ image, frame: 'last' }]`. */
export function isFrameList(name: string, value: unknown): value is readonly unknown[] {
  return normalizeName(name) === frameListName && Array.isArray(value)
}

/** The field of each frame in the list; the second frame is the last one, unless it is named. */
export function readFrameList(
  list: readonly unknown[],
): readonly (readonly ['image' | 'last_image', unknown])[] {
  return list.slice(0, 2).map((frame, index) => {
    const role = text(frame, 'frame') ?? text(frame, 'frame_type') ?? text(frame, 'frameType')
    const isLast = role === undefined ? index === 1 : /last|end|tail/i.test(role)
    const source = at(frame, 'inputImage') ?? at(frame, 'image') ?? frame
    return [isLast ? 'last_image' : 'image', source]
  })
}
