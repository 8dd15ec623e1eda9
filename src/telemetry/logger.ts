import { type DestinationStream, type Logger, pino } from 'pino'
import { createRedactor, redactRedisArguments } from '../text/redact-text.ts'

/** The longest chain of causes, and the most errors of an AggregateError, that are logged. */
const maxCauseDepth = 5
const maxErrors = 10

type LoggerOptions = {
  level: string
  /** Values that must not appear in the log. */
  secrets?: readonly string[]
}

/** Creates the logger of a process. Errors are serialized by `describeError`; each line is redacted as a whole. */
export function createLogger(
  { level, secrets = [] }: LoggerOptions,
  destination?: DestinationStream,
): Logger {
  const redact = createRedactor(secrets)
  const options = {
    level,
    serializers: { err: (error: unknown) => describeError(error) },
    hooks: { streamWrite: redact },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

type ErrorLine = {
  type: string
  message: string
  code?: string | number
  /** The name of the Redis command that failed, without its arguments. */
  command?: string
  stack?: string
  cause?: unknown
  errors?: unknown[]
}

/** Serializes an error for the log. Libraries attach whole commands, requests and replies to errors, so only the listed members are written. */
function describeError(error: unknown, depth = maxCauseDepth): unknown {
  if (!(error instanceof Error)) return describeNonError(error)
  const code = Reflect.get(error, 'code')
  const command: unknown = Reflect.get(Object(Reflect.get(error, 'command')), 'name')
  const message = redactRedisArguments(error.message)
  const type = error.name
  const line: ErrorLine = { type, message }
  if (typeof code === 'string' || typeof code === 'number') line.code = code
  if (typeof command === 'string') line.command = command
  if (error.stack !== undefined) line.stack = [`${type}: ${message}`, ...listFrames(error.stack)].join('\n')
  if (depth > 0 && error.cause !== undefined) line.cause = describeError(error.cause, depth - 1)
  if (depth > 0 && error instanceof AggregateError)
    line.errors = error.errors.slice(0, maxErrors).map((nestedError) => describeError(nestedError, depth - 1))
  return line
}

function describeNonError(thrown: unknown): unknown {
  return typeof thrown === 'object' && thrown !== null
    ? { type: 'unknown', message: 'a value that is not an error was thrown' }
    : redactRedisArguments(String(thrown))
}

/** A stack begins with the message, which may have several lines. */
function listFrames(stack: string): string[] {
  return stack.split('\n').filter((line) => /^\s+at /.test(line))
}
