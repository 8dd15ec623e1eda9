import type { MediaKind } from '../../../providers/input.ts'
import { isMediaKind } from '../../catalogue/media-values/stored-reference.ts'

/** The largest file of each kind, in bytes. */
export type MediaLimits = Readonly<Record<MediaKind, number>>

/** What a declared type may bring; one that tells no kind may be any. */
export function maxBytesFor(limits: MediaLimits, declaredType: string): number {
  const kind = declaredType.split('/')[0]?.trim().toLowerCase() ?? ''
  return isMediaKind(kind) ? limits[kind] : Math.max(...Object.values(limits))
}

export function formatMegabytes(bytes: number): string {
  return `${Math.round((bytes / 1024 / 1024) * 10) / 10} MB`
}
