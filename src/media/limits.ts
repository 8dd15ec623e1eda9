import type { MediaKind } from '../../providers/input.ts'

/** The largest file of each kind, in bytes. */
export type Limits = Readonly<Record<MediaKind, number>>

/** What a declared type may bring; one that tells no kind may be any. */
export function limitOf(limits: Limits, declared: string): number {
  const kind = declared.split('/')[0]?.trim().toLowerCase() ?? ''
  return isKind(kind) ? limits[kind] : Math.max(...Object.values(limits))
}

export function isKind(word: string): word is MediaKind {
  return word === 'image' || word === 'video' || word === 'audio'
}

export function inMegabytes(bytes: number): string {
  return `${Math.round((bytes / 1024 / 1024) * 10) / 10} MB`
}
