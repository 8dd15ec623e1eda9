import { editDistance } from '../text/nearest-word.ts'

/** A variable that is not a setting, and the setting that it probably means. `isKey`: the key of an upstream. */
export type MisnamedSetting = { name: string; suggestion: string; isKey: boolean }

type KeyAlias = {
  words: readonly string[]
  keys: readonly [string, ...string[]]
  /** The words are common in other names, so they count only at the beginning. */
  firstWordOnly?: true
}

/**
 * Other names of upstreams, with the settings of their keys; `FAL` is the first word of `FAL_KEY`, so it needs
 * no line. Vendors' own programs use some of these names, for example `BYTEPLUS_API_KEY`.
 */
const keyAliases: readonly KeyAlias[] = [
  { words: ['FALAI'], keys: ['FAL_KEY'] },
  { words: ['WAVESPEEDAI'], keys: ['WAVESPEED_API_KEY'] },
  { words: ['RUNWAREAI'], keys: ['RUNWARE_API_KEY'] },
  { words: ['ARK'], keys: ['ARK_API_KEY'], firstWordOnly: true },
  { words: ['MODELARK', 'BYTEDANCE', 'BYTEPLUS', 'SEEDANCE'], keys: ['ARK_API_KEY'] },
  { words: ['VOLCENGINE'], keys: ['VOLC_ACCESS_KEY', 'VOLC_SECRET_KEY'] },
  { words: ['MJ'], keys: ['MIDJOURNEY_API_SECRET'], firstWordOnly: true },
  { words: ['APIMARKET'], keys: ['MAGICAPI_KEY'] },
  { words: ['LONGSTORY'], keys: ['LONGSTORIES_API_KEY'] },
]

/** Words that may follow `KEY`. */
const keySuffixes = /^(ID|VALUE|PROD|PRODUCTION|LIVE|DEV|TEST|STAGING|\d+)$/
const keyWord = /^(API|ACCESS|SECRET|AUTH)*(KEY|TOKEN|SECRET|CREDENTIAL)S?(FILE)?$|^(AK|SK)$/
const secretWord = /SECRET|^SK$/
/** Shorter names are similar to too many others. */
const minSettingLength = 6

/** Finds variables that are not settings but look like one: the key of an upstream under another name, or a misspelled setting. Empty ones are ignored. */
export function findMisnamedSettings(
  env: Readonly<Record<string, string | undefined>>,
  knownNames: ReadonlySet<string>,
  credentials: readonly string[],
): MisnamedSetting[] {
  const keySettings = credentials.flatMap((name) => [name, `${name}_FILE`])
  const aliases = [...keyAliases, ...aliasesByFirstWord(credentials)]
  const settings = [...knownNames].filter(
    (name) => name.length >= minSettingLength && !keySettings.includes(name),
  )
  return Object.entries(env).flatMap(([name, value]): MisnamedSetting[] => {
    if (knownNames.has(name) || (value ?? '').trim() === '') return []
    const key = findKeyByWords(name, aliases) ?? findMisspelled(name, credentials, 10)
    if (key !== undefined) return [{ name, suggestion: matchFileSuffix(name, key), isKey: true }]
    const setting = findMisspelled(name, settings, 8)
    return setting === undefined ? [] : [{ name, suggestion: setting, isKey: false }]
  })
}

/** `ACME` for `ACME_API_KEY`, unless `keyAliases` has the word. */
function aliasesByFirstWord(credentials: readonly string[]): KeyAlias[] {
  const listedWords = keyAliases.flatMap(({ words }) => words)
  const byWord = Map.groupBy(credentials, (name) => name.split('_')[0] ?? name)
  return [...byWord].flatMap(([word, [key, ...others]]) =>
    key === undefined || listedWords.includes(word) ? [] : [{ words: [word], keys: [key, ...others] }],
  )
}

/** The key setting that a name means, if its words are an upstream and "key". */
function findKeyByWords(name: string, aliases: readonly KeyAlias[]): string | undefined {
  const nameWords = splitWords(name)
  while (keySuffixes.test(nameWords.at(-1) ?? '') || isFileWord(nameWords.at(-1) ?? '')) nameWords.pop()
  for (const { words: aliasWords, keys, firstWordOnly } of aliases) {
    const match = findAlias(nameWords, aliasWords, firstWordOnly === true)
    if (match === undefined) continue
    const { otherWords, isLast } = match
    const containsKeyWord = isLast
      ? otherWords.some((word) => keyWord.test(word))
      : isKeyWord(otherWords.at(-1) ?? '', otherWords.slice(0, -1))
    if (containsKeyWord)
      return (
        keys.find((key) => key.includes('SECRET') && otherWords.some((word) => secretWord.test(word))) ??
        keys[0]
      )
  }
  return undefined
}

/** Finds an alias in the words of a name, also split (`WAVE_SPEED`) or joined with the next word (`FALKEY`). Returns the other words. */
function findAlias(nameWords: readonly string[], aliasWords: readonly string[], firstWordOnly: boolean) {
  for (const [index, word] of nameWords.entries()) {
    if (firstWordOnly && index > 0 && nameWords[index - 1] !== 'REELGATE') continue
    const wordPair = word + (nameWords[index + 1] ?? '')
    const wordsBefore = nameWords.slice(0, index)
    if (aliasWords.some((aliasWord) => word === aliasWord || isMisspelledWord(word, aliasWord)))
      return {
        otherWords: [...wordsBefore, ...nameWords.slice(index + 1)],
        isLast: index === nameWords.length - 1,
      }
    if (aliasWords.includes(wordPair))
      return {
        otherWords: [...wordsBefore, ...nameWords.slice(index + 2)],
        isLast: index + 2 >= nameWords.length,
      }
    const joinedAlias = aliasWords.find(
      (aliasWord) => word.startsWith(aliasWord) && keyWord.test(word.slice(aliasWord.length)),
    )
    if (joinedAlias !== undefined) return { otherWords: [word.slice(joinedAlias.length)], isLast: false }
  }
  return undefined
}

/** Short names of upstreams must match exactly, because they are similar to too many other words. */
function isMisspelledWord(word: string, aliasWord: string): boolean {
  const maxDistance = aliasWord.length >= 10 ? 2 : aliasWord.length >= 7 ? 1 : 0
  return maxDistance > 0 && word[0] === aliasWord[0] && editDistance(word, aliasWord) <= maxDistance
}

/** After the name of an upstream and perhaps `API`, `KYE` can only be a misspelled `KEY`. */
function isKeyWord(word: string, wordsBefore: readonly string[]): boolean {
  if (keyWord.test(word)) return true
  const isUnambiguous = wordsBefore.every((previousWord) => /^(API|ACCESS|SECRET|AUTH)$/.test(previousWord))
  return isUnambiguous && ['KEY', 'APIKEY', 'TOKEN', 'SECRET'].some((expected) => isNearWord(word, expected))
}

/** The setting that differs from a name by one typing error, by separators or by case. */
function findMisspelled(
  name: string,
  settings: readonly string[],
  minLengthForSubstitution: number,
): string | undefined {
  const nameLetters = stripSeparatorsOf(name)
  return settings.find((setting) => {
    const expected = stripSeparatorsOf(setting)
    return (
      nameLetters === expected ||
      (nameLetters[0] === expected[0] && isTypo(nameLetters, expected, minLengthForSubstitution))
    )
  })
}

/** One letter added, missing or transposed; in a long name, also one substituted. */
function isTypo(word: string, expected: string, minLengthForSubstitution: number): boolean {
  const isOtherLetter = word.length === expected.length && !isTransposition(word, expected)
  return isNearWord(word, expected) && (expected.length >= minLengthForSubstitution || !isOtherLetter)
}

function isNearWord(word: string, expected: string): boolean {
  return isTransposition(word, expected) || editDistance(word, expected) === 1
}

function isTransposition(word: string, expected: string): boolean {
  const sorted = (text: string) => [...text].sort().join('')
  return (
    word.length === expected.length && sorted(word) === sorted(expected) && editDistance(word, expected) === 2
  )
}

function matchFileSuffix(name: string, key: string): string {
  return splitWords(name).some((word) => isFileWord(word) || /FILE$/.test(word)) ? `${key}_FILE` : key
}

/** `FILE`, perhaps misspelled, or `PATH`. */
function isFileWord(word: string): boolean {
  if (/^(FILE|PATH)$/.test(word)) return true
  return word.length < 5 && word.startsWith('F') && isNearWord(word, 'FILE')
}

function splitWords(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter((word) => word !== '')
}

function stripSeparatorsOf(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')
}
