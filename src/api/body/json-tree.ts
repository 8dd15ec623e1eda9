import type { JsonLimits } from '../../config/request-limits.ts'
import { invalidJsonError, tooDeepError, tooManyValuesError } from './json-limits.ts'
import { type BodyPosition, positionOf } from './media-positions.ts'

type Container = unknown[] | Record<string, unknown>
type Frame = { container: Container; position: BodyPosition; key: string | undefined; isEmpty: boolean }
type ExpectedToken = 'value' | 'key' | 'colon' | 'next'

/** Builds a value from the tokens of its JSON. Each method throws where its token is out of place or exceeds a limit. */
export function createJsonTree(limits: Pick<JsonLimits, 'values' | 'depth'>) {
  const frames: Frame[] = []
  let expected: ExpectedToken = 'value'
  let valueCount = 0
  let root: unknown

  /** A value begins here. Returns its position in the body. */
  function beginValue(): BodyPosition {
    const frame = frames.at(-1)
    if (expected !== 'value') throw invalidJsonError()
    valueCount += 1
    if (valueCount > limits.values) throw tooManyValuesError(limits.values)
    if (frame === undefined) return 'body'
    frame.isEmpty = false
    return positionOf(frame.position, frame.key)
  }

  function addValue(value: unknown): void {
    const frame = frames.at(-1)
    if (frame === undefined) root = value
    else if (Array.isArray(frame.container)) frame.container.push(value)
    else frame.container[frame.key ?? ''] = value
    expected = 'next'
  }

  return {
    beginValue,
    addValue,

    /** A string begins here: a key, or a value at the returned position. */
    beginString(): BodyPosition | 'key' {
      const frame = frames.at(-1)
      if (expected !== 'key' || frame === undefined) return beginValue()
      frame.isEmpty = false
      return 'key'
    },

    addString(text: string): void {
      const frame = frames.at(-1)
      if (expected !== 'key' || frame === undefined) {
        addValue(text)
        return
      }
      if (text === '__proto__') throw invalidJsonError()
      frame.key = text
      expected = 'colon'
    },

    open(container: Container): void {
      const position = beginValue()
      if (frames.length === limits.depth) throw tooDeepError(limits.depth)
      frames.push({ container, position, key: undefined, isEmpty: true })
      expected = Array.isArray(container) ? 'value' : 'key'
    },

    close(isList: boolean): void {
      const frame = frames.at(-1)
      const mayEnd = expected === 'next' || frame?.isEmpty === true
      if (frame === undefined || Array.isArray(frame.container) !== isList || !mayEnd)
        throw invalidJsonError()
      frames.pop()
      addValue(frame.container)
    },

    readComma(): void {
      const frame = frames.at(-1)
      if (frame === undefined || expected !== 'next') throw invalidJsonError()
      expected = Array.isArray(frame.container) ? 'value' : 'key'
    },

    readColon(): void {
      if (expected !== 'colon') throw invalidJsonError()
      expected = 'value'
    },

    /** The field of the body that is being read. */
    topLevelKey: () => frames[0]?.key,

    /** The whole value; `undefined` where there was none. */
    end(): unknown {
      if (frames.length > 0) throw invalidJsonError()
      return root
    },
  }
}
