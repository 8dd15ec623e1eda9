import type { Field, Input } from '../../../providers/input.ts'
import { fields } from '../../catalogue/fields.ts'
import { shorten, type TextLimits, utf8ByteLength } from '../../text/text-limits.ts'
import { ApiError } from '../errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    textLimits: TextLimits
  }
}

const webLinkPattern = /^\s*https?:\/\//i

/** Throws for a link, a list or an ID that is larger than what is stored. `spell`: how the request names a field. */
export function checkInputLimits(
  { input, conversationUUID }: { input: Input; conversationUUID?: string | undefined },
  limits: TextLimits,
  fieldNameInRequest: (field: Field) => string,
): void {
  if (conversationUUID !== undefined) checkId(conversationUUID, 'conversationUUID', limits)
  for (const [name, value] of Object.entries(input)) {
    const { kind } = fields[name as Field]
    // A prompt may quote whatever it likes.
    if (kind === 'text') continue
    const param = () => fieldNameInRequest(name as Field)
    if (Array.isArray(value) && value.length > limits.listMaxItems)
      throw inputTooLongError(
        param(),
        `must have at most ${limits.listMaxItems} entries; got ${value.length}`,
      )
    checkLinks(value, param, limits)
  }
}

/** Throws for an ID that is longer than what is stored. */
export function checkId(
  id: string,
  param: string,
  { idMaxCharacters }: Pick<TextLimits, 'idMaxCharacters'>,
): void {
  const length = [...id].length
  if (length > idMaxCharacters)
    throw inputTooLongError(param, `must be at most ${idMaxCharacters} characters; got ${length}`)
}

/** Of a value and everything in it. */
function checkLinks(value: unknown, path: () => string, limits: TextLimits): void {
  if (typeof value === 'string') {
    const bytes = webLinkPattern.test(value) ? utf8ByteLength(value) : 0
    if (bytes > limits.linkMaxBytes)
      throw inputTooLongError(path(), `must be a link of at most ${limits.linkMaxBytes} bytes; got ${bytes}`)
  } else if (typeof value === 'object' && value !== null) {
    const memberPath = (name: string) => (Array.isArray(value) ? `${path()}[${name}]` : `${path()}.${name}`)
    for (const [name, member] of Object.entries(value)) checkLinks(member, () => memberPath(name), limits)
  }
}

function inputTooLongError(param: string, problem: string): ApiError {
  const shortParam = shorten(param, 200)
  return new ApiError('invalid_parameter_value', `\`${shortParam}\` ${problem}`, { param: shortParam })
}

/** Each of them is stored with an idempotency key, and quotes what the client wrote. */
const maxWarnings = 50
const maxWarningCharacters = 400

export function shortenWarnings(warnings: readonly string[]): readonly string[] {
  const listed = warnings.slice(0, maxWarnings).map((warning) => shorten(warning, maxWarningCharacters))
  const omittedCount = warnings.length - listed.length
  return omittedCount > 0 ? [...listed, `${omittedCount} more warnings were left out`] : listed
}
