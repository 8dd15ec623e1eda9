import type { Diverted, Spool } from '../media/spool.ts'

/** Shorter data URLs stay where they are. */
export const longBytes = 64 * 1024
const longestHead = 300

const quote = 0x22
const backslash = 0x5c

/** How a data URL begins inside JSON; some programs escape every slash. */
const head = /^\s*data:((?:[^,"\\]|\\\/)*);base64,/i

/**
 * Reads JSON text piece by piece and takes the long data URLs out of it: their content goes to files, stand-ins go on in their place.
 * So a body of many megabytes is never in memory.
 */
export function createReader(spool: Pick<Spool, 'divert'>) {
  const kept: Buffer[] = []
  const standIns: string[] = []
  let insideString = false
  let escaped = false
  /** A string as far as it has come, until it is known whether it goes elsewhere. */
  let held: Buffer[] = []
  let heldBytes = 0
  let destination: 'undecided' | 'kept' | Diverted = 'undecided'
  let resolveEscapes = createUnescape()

  async function take(piece: Buffer): Promise<void> {
    if (destination === 'kept') kept.push(piece)
    else if (destination !== 'undecided') await destination.write(resolveEscapes(piece.toString('latin1')))
    else {
      held.push(piece)
      heldBytes += piece.length
      if (heldBytes >= longBytes) await decide()
    }
  }

  async function decide(): Promise<void> {
    const text = Buffer.concat(held)
    held = []
    heldBytes = 0
    const found = head.exec(text.toString('latin1', 0, longestHead))
    if (found === null) {
      destination = 'kept'
      kept.push(text)
      return
    }
    const [prefix, type = ''] = found
    resolveEscapes = createUnescape()
    const diverted = await spool.divert(type.replaceAll('\\/', '/'))
    standIns.push(diverted.standIn)
    kept.push(Buffer.from(diverted.standIn))
    destination = diverted
    await diverted.write(resolveEscapes(text.toString('latin1', prefix.length)))
  }

  async function closeString(): Promise<void> {
    if (destination === 'undecided') kept.push(...held)
    else if (destination !== 'kept') await destination.end()
    held = []
    heldBytes = 0
    destination = 'undecided'
  }

  /** Offset of the quote that ends the string, or the end of the piece. */
  function endOfString(piece: Buffer, from: number): number {
    if (!escaped && piece.indexOf(backslash, from) === -1) {
      const end = piece.indexOf(quote, from)
      return end === -1 ? piece.length : end
    }
    for (let at = from; at < piece.length; at += 1) {
      if (escaped) escaped = false
      else if (piece[at] === backslash) escaped = true
      else if (piece[at] === quote) return at
    }
    return piece.length
  }

  return {
    standIns,

    async write(piece: Buffer): Promise<void> {
      let at = 0
      while (at < piece.length) {
        const start = at
        if (insideString) {
          at = endOfString(piece, start)
          if (at > start) await take(piece.subarray(start, at))
          if (at === piece.length) return
          await closeString()
        } else {
          at = piece.indexOf(quote, start)
          kept.push(piece.subarray(start, at === -1 ? piece.length : at))
          if (at === -1) return
        }
        kept.push(piece.subarray(at, at + 1))
        at += 1
        insideString = !insideString
      }
    },

    /** What is left of the text. */
    async end(): Promise<string> {
      await closeString()
      return Buffer.concat(kept).toString('utf8')
    },
  }
}

/** Resolves JSON's escapes in base64 text; an escape may be cut in two between pieces. */
function createUnescape() {
  let rest = ''
  return (piece: string): string => {
    const text = rest + piece
    rest = /\\(?:u[\da-f]{0,3})?$/i.exec(text)?.[0] ?? ''
    return text
      .slice(0, text.length - rest.length)
      .replace(/\\(?:u([\da-f]{4})|([/nrt]))/gi, (_, code?: string, letter?: string) =>
        code === undefined ? (letter === '/' ? '/' : '') : String.fromCharCode(Number.parseInt(code, 16)),
      )
  }
}
