import { type Fault, fault } from '../../providers/fault.ts'
import type { Outcome, Ticket, Video } from '../../providers/provider.ts'
import { bytesOf, shorten } from '../text-limits.ts'

/** No real ticket has more than a few hundred. */
const ticketMaxBytes = 2048
export const faultMaxCharacters = 1000
/** Of the clips of one task. */
const maxVideos = 16
/** Of the links to all clips but the first. */
const linksMaxBytes = 16_384
/** A link to our copy of an input. */
export const uploadedLinkMaxBytes = 4096

type Done = Extract<Outcome, { kind: 'done' }>

/**
 * An upstream's reply as it may be stored. Texts are shortened, clips beyond the limit are left out, but the link to the first clip is kept whatever its
 * length: it has been paid for. A ticket cannot be shortened; with one that is too large, nobody knows what became of the call.
 */
export function limitReply(outcome: Outcome): Outcome {
  if (outcome.kind === 'failed' || outcome.kind === 'unclear')
    return { ...outcome, fault: shortenFault(outcome.fault) }
  if (outcome.kind === 'running') return isStorable(outcome.ticket) ? outcome : withoutTicket(outcome.ticket)
  const { ticket, ...done } = outcome
  const kept: Done = { ...done, videos: limitVideos(outcome.videos) }
  return ticket !== undefined && isStorable(ticket) ? { ...kept, ticket } : kept
}

export function isStorable(ticket: Ticket): boolean {
  return bytesOf(JSON.stringify(ticket)) <= ticketMaxBytes
}

export function shortenFault(found: Fault): Fault {
  return { ...found, message: shorten(found.message, faultMaxCharacters) }
}

function withoutTicket(ticket: Ticket): Outcome {
  const size = bytesOf(JSON.stringify(ticket))
  const message = `The upstream named a task with an ID of ${size} bytes; at most ${ticketMaxBytes} are read`
  return { kind: 'unclear', fault: fault('unreadable_reply', message) }
}

function limitVideos([first, ...others]: Done['videos']): Done['videos'] {
  let bytes = 0
  const kept = others.slice(0, maxVideos - 1).map(limitThumbnail)
  const fitting = kept.filter(({ url, thumbnailUrl = '' }) => {
    bytes += bytesOf(url) + bytesOf(thumbnailUrl)
    return bytes <= linksMaxBytes
  })
  return [limitThumbnail(first), ...fitting]
}

function limitThumbnail({ url, thumbnailUrl }: Video): Video {
  const isLong = thumbnailUrl !== undefined && bytesOf(thumbnailUrl) > uploadedLinkMaxBytes
  return { url, ...(thumbnailUrl !== undefined && !isLong && { thumbnailUrl }) }
}
