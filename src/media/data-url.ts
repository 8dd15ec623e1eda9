/** Longer heads are not read. Whoever reads a text in pieces should pass at least so many characters, if there are so many. */
const longestHead = 4096
/** Enough to recognize the content. */
const sampleCharacters = 64
/** Shorter texts are words, not files. */
const shortestBase64 = 32

/**
 * Reads the head of a data URL from the first characters of a text, as RFC 2397 and the "data: URL processor" of the Fetch standard do;
 * bare base64 counts as a data URL without a head if it begins as a media file does. `length`: characters before the content. `type`:
 * the declared one in lower case and without parameters; where it names no media, that of the content's first bytes, if they are
 * recognized. `base64`: how the content is encoded; false: percent-encoded.
 */
export function readDataUrlHead(text: string): { length: number; type: string; base64: boolean } | undefined {
  const begin = text.slice(0, longestHead + sampleCharacters)
  const scheme = /^(?:(?!\0)[\0-\x20])*data:/i.exec(begin)
  if (scheme === null) return readBareBase64(begin)
  const start = scheme[0].length
  const comma = endOfDeclaration(begin, start)
  if (comma === -1 || comma >= longestHead) return undefined
  // No text may hold these.
  if (!begin.slice(start, comma).isWellFormed() || begin.slice(start, comma).includes('\0')) return undefined
  // A URL holds no tabs and line ends: its parser removes them.
  const declaration = begin
    .slice(start, comma)
    .replace(/[\t\n\r]/g, '')
    .trim()
  const content = begin.slice(comma + 1)
  // Some clients leave the word out; no media file begins like base64 of one.
  const base64 = /; *base64$/i.test(declaration) || readBareBase64(content) !== undefined
  const declared = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+/.exec(declaration)?.[0].toLowerCase() ?? 'text/plain'
  const type = isMedia(declared)
    ? declared
    : (recognize(content.slice(0, sampleCharacters), base64) ?? declared)
  return { length: comma + 1, type, base64 }
}

/** Position of the comma before the content. RFC 2397 has quoted parameters, in which a comma may stand; the Fetch standard has not. */
function endOfDeclaration(text: string, start: number): number {
  const quoted = /^[^,"]*(?:;[^,;"=]+="(?:[^"\\]|\\.)*"[^,"]*)+,/.exec(text.slice(start))
  return quoted === null ? text.indexOf(',', start) : start + quoted[0].length - 1
}

function readBareBase64(begin: string): ReturnType<typeof readDataUrlHead> {
  const sample = begin.trimStart().slice(0, sampleCharacters)
  if (sample.length < shortestBase64 || !/^[\w+/\s-]+={0,2}\s*$/.test(sample)) return undefined
  const type = recognize(sample, true)
  return type === undefined ? undefined : { length: 0, type, base64: true }
}

function isMedia(type: string): boolean {
  return /^(image|video|audio)\//.test(type)
}

function recognize(sample: string, base64: boolean): string | undefined {
  const text = sample.replace(/%([\da-f]{2})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
  const bytes = base64 ? Buffer.from(text, 'base64').toString('latin1') : text
  return signatures.find(([start]) => start.test(bytes))?.[1]
}

/** How media files begin. Which type a file really has is told from all of it, where it is stored. */
const signatures: readonly [RegExp, string][] = [
  [/^\u0089PNG/, 'image/png'],
  [/^\u00ff\u00d8\u00ff/, 'image/jpeg'],
  [/^GIF8[79]a/, 'image/gif'],
  [/^RIFF....WEBP/s, 'image/webp'],
  [/^....ftyp(avi[fs]|mif1|msf1|hei[cx]|hev[cx])/s, 'image/heif'],
  [/^(II\*\0|MM\0\*)/, 'image/tiff'],
  [/^BM....\0\0\0\0/s, 'image/bmp'],
  [/^RIFF....WAVE/s, 'audio/wav'],
  [/^....ftypM4[AB]/s, 'audio/mp4'],
  [/^....ftyp/s, 'video/mp4'],
  [/^....(moov|mdat|wide|free)/s, 'video/quicktime'],
  [/^.E\u00df\u00a3/s, 'video/webm'],
  [/^RIFF....AVI /s, 'video/vnd.avi'],
  [/^(ID3[^ -~]|\u00ff[\u00e2-\u00e7\u00f1-\u00f9\u00fa-\u00fd])/, 'audio/mpeg'],
  // Sound alone or with pictures: a field of either kind takes it, and all of the file decides.
  [/^OggS\0/, 'video/ogg'],
  [/^fLaC/, 'audio/flac'],
]
