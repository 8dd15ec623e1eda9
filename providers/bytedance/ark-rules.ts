import { at, flag, link, list, number, text } from '../reader.ts'

type Violation = { status: number; code: string; message: string }
type Check = (value: unknown) => boolean

const knownModel = /^((doubao-)?seedance-1-0-pro-fast-\d{6}|ep-[\w-]+)$/

const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    values.includes(text(value) ?? '')

const whole =
  (min: number, max: number): Check =>
  (value) =>
    Number.isInteger(value) && (number(value) ?? min - 1) >= min && (number(value) ?? max + 1) <= max

const boolean: Check = (value) => flag(value) !== undefined

/** What Seedance 1.0 pro fast takes beside its model; the newer models' fields are refused as Ark refuses them. */
const fields: Readonly<Record<string, Check>> = {
  model: (value) => text(value) !== undefined,
  content: isContent,
  resolution: oneOf('480p', '720p', '1080p'),
  ratio: oneOf('16:9', '4:3', '1:1', '3:4', '9:16', '21:9', 'adaptive'),
  duration: whole(2, 12),
  frames: (value) => whole(29, 289)(value) && ((number(value) ?? 0) - 25) % 4 === 0,
  seed: whole(-1, 2 ** 32 - 1),
  camera_fixed: boolean,
  watermark: boolean,
  return_last_frame: boolean,
  service_tier: oneOf('default', 'flex'),
  execution_expires_after: whole(3600, 259_200),
  callback_url: (value) => link(value) !== undefined,
}

/** Why Ark would not take this body; `undefined`: it would. */
export function violation(body: unknown): Violation | undefined {
  const model = text(body, 'model')
  const missing = model === undefined ? 'model' : at(body, 'content') === undefined ? 'content' : undefined
  if (missing !== undefined) {
    return {
      status: 400,
      code: 'MissingParameter',
      message: `The request is missing the parameter \`${missing}\`.`,
    }
  }
  if (!knownModel.test(model ?? '')) {
    const message = `The model or endpoint ${model} does not exist or you do not have access to it.`
    return { status: 404, code: 'InvalidEndpointOrModel.NotFound', message }
  }
  const wrong = Object.entries(body ?? {}).find(([name, value]) => fields[name]?.(value) !== true)?.[0]
  if (wrong !== undefined) return invalid(wrong)
  const both = at(body, 'frames') !== undefined && at(body, 'duration') !== undefined
  return both ? invalid('frames') : undefined
}

/** A prompt, a first frame, or both. */
function isContent(value: unknown): boolean {
  const items = list(value)
  const texts = items.filter((item) => text(item, 'type') === 'text' && text(item, 'text') !== undefined)
  const images = items.filter(isFirstFrame)
  return (
    items.length > 0 &&
    texts.length + images.length === items.length &&
    texts.length <= 1 &&
    images.length <= 1
  )
}

function isFirstFrame(item: unknown): boolean {
  const url = text(item, 'image_url', 'url') ?? ''
  return (
    text(item, 'type') === 'image_url' &&
    (text(item, 'role') ?? 'first_frame') === 'first_frame' &&
    (link(url) !== undefined || /^(data:image\/(jpeg|png|webp|bmp|tiff|gif);base64,|asset:\/\/)/.test(url))
  )
}

function invalid(name: string): Violation {
  const message = `The parameter \`${name}\` specified in the request is not valid.`
  return { status: 400, code: 'InvalidParameter', message }
}
