import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { createDecoder, type Decoded } from './base64.ts'
import { type Limits, limitOf } from './limits.ts'
import type { Scratch } from './scratch.ts'

export type Spool = ReturnType<typeof createSpool>

const longestStandIn = 400
const spooled = /^data:[^,]*;spooled=([0-9a-f-]{36});base64,/

/** A long data URL of a request that is being read: its text goes to a file, a short stand-in goes on in its place. */
export type Diverted = {
  standIn: string
  write(text: string): Promise<void>
  end(): Promise<void>
}

/** Files made of data URLs while their request was still arriving, until somebody claims or drops them. */
export function createSpool({ scratch, limits }: { scratch: Scratch; limits: Limits }) {
  const held = new Map<string, Decoded>()

  return {
    async divert(declared: string): Promise<Diverted> {
      const id = randomUUID()
      const decoder = await createDecoder(scratch, limitOf(limits, declared))
      held.set(id, { refused: 'cut short', limitBytes: 0 })
      return {
        standIn: `data:${declared};spooled=${id};base64,AAAA`,
        write: decoder.write,
        async end() {
          const decoded = await decoder.end()
          if (held.has(id)) held.set(id, decoded)
          else await discard(decoded)
        },
      }
    },

    /** The data URL's file, if the text is a stand-in. */
    claim(text: string): Decoded | undefined {
      const id = spooled.exec(text)?.[1] ?? ''
      const decoded = held.get(id)
      held.delete(id)
      return decoded
    },

    /** What tells the content of a stand-in's file from others; `undefined`: the text is no stand-in. */
    peek(text: string): string | undefined {
      const decoded = held.get(spooled.exec(text.slice(0, longestStandIn))?.[1] ?? '')
      return decoded && ('hash' in decoded ? decoded.hash : decoded.refused)
    },

    /** Decodes a data URL that is at hand. */
    async decode(declared: string, text: string, encoding = { base64: true }): Promise<Decoded> {
      const decoder = await createDecoder(scratch, limitOf(limits, declared), encoding)
      await decoder.write(text)
      return decoder.end()
    },

    /** Forgets a request's data URLs that nobody claimed, as soon as its reply is closed. */
    dropAfter(reply: Writable, standIns: readonly string[]): void {
      // A client that has left meanwhile is not heard of again.
      if (reply.closed) void this.drop(standIns)
      else reply.once('close', () => void this.drop(standIns))
    },

    /** Forgets a request's data URLs that nobody claimed. */
    async drop(standIns: readonly string[]): Promise<void> {
      for (const standIn of standIns) {
        const decoded = this.claim(standIn)
        if (decoded !== undefined) await discard(decoded)
      }
    },
  }
}

async function discard(decoded: Decoded): Promise<void> {
  // What cannot be removed now goes with the other old temporary files.
  if ('path' in decoded) await rm(decoded.path, { force: true }).catch(() => undefined)
}
