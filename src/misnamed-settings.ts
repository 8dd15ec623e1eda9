import { editDistance } from './catalogue/near.ts'

/** A variable that is no setting, and the setting that it probably means. `isKey`: an upstream's key. */
export type Misnamed = { name: string; meant: string; isKey: boolean }

/**
 * How people name upstreams, with the settings that hold their keys. Vendors' own programs use some of these names, `FAL_API_KEY` for example.
 * `first`: common enough elsewhere to count at the beginning of a name only.
 */
const aliases: readonly { words: readonly string[]; keys: readonly [string, ...string[]]; first?: true }[] = [
  { words: ['FAL', 'FALAI'], keys: ['FAL_KEY'] },
  { words: ['WAVESPEED', 'WAVESPEEDAI'], keys: ['WAVESPEED_API_KEY'] },
  { words: ['RUNWARE', 'RUNWAREAI'], keys: ['RUNWARE_API_KEY'] },
  { words: ['ARK'], keys: ['ARK_API_KEY'], first: true },
  { words: ['MODELARK', 'BYTEDANCE', 'BYTEPLUS', 'SEEDANCE'], keys: ['ARK_API_KEY'] },
  { words: ['VOLC', 'VOLCENGINE'], keys: ['VOLC_ACCESS_KEY', 'VOLC_SECRET_KEY'] },
  { words: ['MJ'], keys: ['MIDJOURNEY_API_SECRET'], first: true },
  { words: ['MIDJOURNEY'], keys: ['MIDJOURNEY_API_SECRET'] },
  { words: ['MAGICAPI', 'APIMARKET'], keys: ['MAGICAPI_KEY'] },
  { words: ['LONGSTORIES', 'LONGSTORY'], keys: ['LONGSTORIES_API_KEY'] },
]

/** What may follow the word that says that it is a key. */
const endings = /^(ID|VALUE|PROD|PRODUCTION|LIVE|DEV|TEST|STAGING|\d+)$/
const keyWord = /^(API|ACCESS|SECRET|AUTH)*(KEY|TOKEN|SECRET|CREDENTIAL)S?(FILE)?$|^(AK|SK)$/
const secretWord = /SECRET|^SK$/
/** Shorter names are too common to be taken for another one misspelled. */
const shortestSetting = 6

/** Variables with a value that are none of the settings `known` and look like one: an upstream's key under another name, or a misspelled name. */
export function findMisnamed(
  env: Readonly<Record<string, string | undefined>>,
  known: ReadonlySet<string>,
  credentials: readonly string[],
): Misnamed[] {
  const keys = credentials.flatMap((name) => [name, `${name}_FILE`])
  const settings = [...known].filter((name) => name.length >= shortestSetting && !keys.includes(name))
  return Object.entries(env).flatMap(([name, value]): Misnamed[] => {
    if (known.has(name) || (value ?? '').trim() === '') return []
    const key = keyMeantBy(name) ?? misspelled(name, credentials, 10)
    if (key !== undefined) return [{ name, meant: fileOf(name, key), isKey: true }]
    const setting = misspelled(name, settings, 8)
    return setting === undefined ? [] : [{ name, meant: setting, isKey: false }]
  })
}

/** The key setting that a name means by its words: an upstream and "key". */
function keyMeantBy(name: string): string | undefined {
  const parts = wordsOf(name)
  while (endings.test(parts.at(-1) ?? '') || isFileWord(parts.at(-1) ?? '')) parts.pop()
  for (const { words, keys, first } of aliases) {
    const found = findWords(parts, words, first === true)
    if (found === undefined) continue
    const { rest, isLast } = found
    const saysKey = isLast
      ? rest.some((word) => keyWord.test(word))
      : isKeyWord(rest.at(-1) ?? '', rest.slice(0, -1))
    if (saysKey)
      return (
        keys.find((key) => key.includes('SECRET') && rest.some((word) => secretWord.test(word))) ?? keys[0]
      )
  }
  return undefined
}

/** Where a name holds one of the words, perhaps written in two (`WAVE_SPEED`) or together with the next (`FALKEY`); the other words of the name. */
function findWords(parts: readonly string[], words: readonly string[], onlyFirst: boolean) {
  for (const [index, part] of parts.entries()) {
    if (onlyFirst && index > 0 && parts[index - 1] !== 'REELGATE') continue
    const pair = part + (parts[index + 1] ?? '')
    const before = parts.slice(0, index)
    if (words.some((word) => part === word || isMisspelledWord(part, word)))
      return { rest: [...before, ...parts.slice(index + 1)], isLast: index === parts.length - 1 }
    if (words.includes(pair))
      return { rest: [...before, ...parts.slice(index + 2)], isLast: index + 2 >= parts.length }
    const joined = words.find((word) => part.startsWith(word) && keyWord.test(part.slice(word.length)))
    if (joined !== undefined) return { rest: [part.slice(joined.length)], isLast: false }
  }
  return undefined
}

/** Short names of upstreams are near to too many other words. */
function isMisspelledWord(part: string, word: string): boolean {
  const allowed = word.length >= 10 ? 2 : word.length >= 7 ? 1 : 0
  return allowed > 0 && part[0] === word[0] && editDistance(part, word) <= allowed
}

/** After the name of an upstream and perhaps `API`, `KYE` can only be a misspelled `KEY`. */
function isKeyWord(word: string, before: readonly string[]): boolean {
  if (keyWord.test(word)) return true
  const isSure = before.every((one) => /^(API|ACCESS|SECRET|AUTH)$/.test(one))
  return isSure && ['KEY', 'APIKEY', 'TOKEN', 'SECRET'].some((right) => isNear(word, right))
}

/** The setting that a name is one slip of the fingers away from, written with other separators, or in other letters. */
function misspelled(
  name: string,
  settings: readonly string[],
  shortestWithOtherLetter: number,
): string | undefined {
  const letters = lettersOf(name)
  return settings.find((setting) => {
    const right = lettersOf(setting)
    return letters === right || (letters[0] === right[0] && isSlip(letters, right, shortestWithOtherLetter))
  })
}

/** One letter too many, too few, or two exchanged; in a long name, another letter too. */
function isSlip(word: string, right: string, shortestWithOtherLetter: number): boolean {
  const isOtherLetter = word.length === right.length && !isExchange(word, right)
  return isNear(word, right) && (right.length >= shortestWithOtherLetter || !isOtherLetter)
}

function isNear(word: string, right: string): boolean {
  return isExchange(word, right) || editDistance(word, right) === 1
}

function isExchange(word: string, right: string): boolean {
  const sorted = (text: string) => [...text].sort().join('')
  return word.length === right.length && sorted(word) === sorted(right) && editDistance(word, right) === 2
}

function fileOf(name: string, key: string): string {
  return wordsOf(name).some((word) => isFileWord(word) || /FILE$/.test(word)) ? `${key}_FILE` : key
}

/** `FILE`, perhaps misspelled, or `PATH`. */
function isFileWord(word: string): boolean {
  if (/^(FILE|PATH)$/.test(word)) return true
  return word.length < 5 && word.startsWith('F') && isNear(word, 'FILE')
}

function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter((word) => word !== '')
}

function lettersOf(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')
}
