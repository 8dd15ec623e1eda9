/** Longer heads are not read. Whoever reads a text in pieces should pass at least so many characters, if there are so many. */
const maxHeadCharacters = 4096
/** Enough to recognize the content. */
const sampleCharacters = 64
/** Shorter texts are words, not files. */
const minBase64Characters = 32

/**
 * Reads the head of a data URL from the first characters of a text, as RFC 2397 and the "data: URL processor" of the Fetch standard do;
 * bare base64 counts as a data URL without a head if it begins as a media file does. `length`: characters before the content. `type`:
 * the declared one in lower case and without parameters; where it names no media, that of the content's first bytes, if they are
 * recognized. `base64`: how the content is encoded; false: percent-encoded.
 */
export function readDataUrlHead(text: string): { length: number; type: string; base64: boolean } | undefined {
  const beginning = text.slice(0, maxHeadCharacters + sampleCharacters)
  const scheme = /^(?:(?!\0)[\0-\x20])*data:/i.exec(beginning)
  if (scheme === null) return readBareBase64Head(beginning)
  const declarationStart = scheme[0].length
  const comma = findDeclarationEnd(beginning, declarationStart)
  if (comma === -1 || comma >= maxHeadCharacters) return undefined
  // No text may hold these.
  if (
    !beginning.slice(declarationStart, comma).isWellFormed() ||
    beginning.slice(declarationStart, comma).includes('\0')
  )
    return undefined
  // A URL holds no tabs and line ends: its parser removes them.
  const declaration = beginning
    .slice(declarationStart, comma)
    .replace(/[\t\n\r]/g, '')
    .trim()
  const content = beginning.slice(comma + 1)
  // Some clients leave the word out; no media file begins like base64 of one.
  const base64 = /; *base64$/i.test(declaration) || readBareBase64Head(content) !== undefined
  const declared = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+/.exec(declaration)?.[0].toLowerCase() ?? 'text/plain'
  const type = isMediaType(declared)
    ? declared
    : (recognizeContentType(content.slice(0, sampleCharacters), base64) ?? declared)
  return { length: comma + 1, type, base64 }
}

/** Position of the comma before the content. RFC 2397 has quoted parameters, in which a comma may stand; the Fetch standard has not. */
function findDeclarationEnd(text: string, start: number): number {
  const quoted = /^[^,"]*(?:;[^,;"=]+="(?:[^"\\]|\\.)*"[^,"]*)+,/.exec(text.slice(start))
  return quoted === null ? text.indexOf(',', start) : start + quoted[0].length - 1
}

function readBareBase64Head(beginning: string): ReturnType<typeof readDataUrlHead> {
  const sample = beginning.trimStart().slice(0, sampleCharacters)
  if (sample.length < minBase64Characters || !/^[\w+/\s-]+={0,2}\s*$/.test(sample)) return undefined
  const type = recognizeContentType(sample, true)
  return type === undefined ? undefined : { length: 0, type, base64: true }
}

function isMediaType(type: string): boolean {
  return /^(image|video|audio)\//.test(type)
}

function recognizeContentType(sample: string, base64: boolean): string | undefined {
  const text = sample.replace(/%([\da-f]{2})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
  const bytes = base64 ? Buffer.from(text, 'base64').toString('latin1') : text
  return signatures.find(([pattern]) => pattern.test(bytes))?.[1]
}

/** How media files begin. The actual type is read from the whole file when it is stored. */
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
