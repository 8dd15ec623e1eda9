import { readDataUrlHead } from '../media/data-url.ts'
import type { EncodedUpload, Spool } from '../media/spool.ts'

/** The head of a data URL is looked for in this many characters. */
const headCharacters = 4096

/**
 * Opens a temporary file for a long text of a media field, if the text is a data URL or bare base64. `start`: its first characters;
 * the first `skip` of them are not content.
 */
export async function extractFile(
  spool: Pick<Spool, 'divert'>,
  start: string,
): Promise<{ file: EncodedUpload; skip: number } | undefined> {
  const beginning = start.slice(0, headCharacters)
  const head = readDataUrlHead(beginning)
  if (head !== undefined) {
    return { file: await spool.divert(head.type, { base64: head.base64 }), skip: head.length }
  }
  if (!/^[\w+/=\s-]+$/.test(beginning)) return undefined
  return { file: await spool.divert('', { base64: true }), skip: 0 }
}
