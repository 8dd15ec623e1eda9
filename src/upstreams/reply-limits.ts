import { type Fault, fault } from '../../providers/faults.ts'
import type { Outcome, TaskReference, Video } from '../../providers/provider.ts'
import { shorten, utf8ByteLength } from '../text/text-limits.ts'

/** Real task references have at most a few hundred. */
const ticketMaxBytes = 2048
export const faultMaxCharacters = 1000
/** Videos per task. */
const maxVideos = 16
/** Total length of all links but the first. */
const linksMaxBytes = 16_384
/** Length of the link to an uploaded input. */
export const uploadedLinkMaxBytes = 4096

type DoneOutcome = Extract<Outcome, { kind: 'done' }>

/**
 * Limits the size of a reply that is stored. Texts are shortened and surplus videos dropped, but the link to the first video is kept at any length,
 * because it is paid for. A task reference cannot be shortened: if it is too large, the outcome of the call is unknown.
 */
export function limitOutcome(outcome: Outcome): Outcome {
  if (outcome.kind === 'failed' || outcome.kind === 'unclear')
    return { ...outcome, fault: shortenFault(outcome.fault) }
  if (outcome.kind === 'running')
    return isStorableTicket(outcome.ticket) ? outcome : rejectTicket(outcome.ticket)
  const { ticket, ...done } = outcome
  const limited: DoneOutcome = { ...done, videos: limitVideos(outcome.videos) }
  return ticket !== undefined && isStorableTicket(ticket) ? { ...limited, ticket } : limited
}

export function isStorableTicket(ticket: TaskReference): boolean {
  return utf8ByteLength(JSON.stringify(ticket)) <= ticketMaxBytes
}

export function shortenFault(longFault: Fault): Fault {
  return { ...longFault, message: shorten(longFault.message, faultMaxCharacters) }
}

function rejectTicket(ticket: TaskReference): Outcome {
  const bytes = utf8ByteLength(JSON.stringify(ticket))
  const message = `The upstream's task reference has ${bytes} bytes; the limit is ${ticketMaxBytes}`
  return { kind: 'unclear', fault: fault('unreadable_reply', message) }
}

function limitVideos([first, ...others]: DoneOutcome['videos']): DoneOutcome['videos'] {
  let bytes = 0
  const limitedVideos = others.slice(0, maxVideos - 1).map(limitThumbnail)
  const fitting = limitedVideos.filter(({ url, thumbnailUrl = '' }) => {
    bytes += utf8ByteLength(url) + utf8ByteLength(thumbnailUrl)
    return bytes <= linksMaxBytes
  })
  return [limitThumbnail(first), ...fitting]
}

function limitThumbnail({ url, thumbnailUrl }: Video): Video {
  const isLong = thumbnailUrl !== undefined && utf8ByteLength(thumbnailUrl) > uploadedLinkMaxBytes
  return { url, ...(thumbnailUrl !== undefined && !isLong && { thumbnailUrl }) }
}
