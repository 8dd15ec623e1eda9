import { at, link, list, text } from '../../reader.ts'
import {
  anyBoolean,
  anyString,
  type BodySchema,
  findViolations,
  oneOf,
  type Violation,
} from '../../schema.ts'

/** What every Seedance takes. */
const shared: BodySchema = {
  model: { type: 'string', required: true },
  content: { type: 'array', min: 1, required: true },
  resolution: oneOf('480p', '720p', '1080p'),
  ratio: oneOf('16:9', '4:3', '1:1', '3:4', '9:16', '21:9', 'adaptive'),
  duration: { type: 'integer', min: 2, max: 12 },
  frames: { type: 'integer', min: 29, max: 289 },
  seed: { type: 'integer', min: -1, max: 2 ** 32 - 1 },
  camera_fixed: anyBoolean,
  watermark: anyBoolean,
  return_last_frame: anyBoolean,
  execution_expires_after: { type: 'integer', min: 3600, max: 259_200 },
  callback_url: { type: 'url' },
}
const tier: BodySchema = { service_tier: oneOf('default', 'flex') }

/** Fields of the newest official client; which of the newer models takes which is not published. */
const newer: BodySchema = {
  generate_audio: anyBoolean,
  safety_identifier: anyString,
  priority: { type: 'integer' },
  output_format: anyString,
  omni_reference_task_type: anyString,
  tools: { type: 'array' },
}
const longer = { duration: { type: 'integer', min: 4, max: 15 } } as const

type Family = {
  fields: BodySchema
  /** The roles of the media that it takes beside a prompt. */
  roles: readonly string[]
}

const frames = ['first_frame', 'last_frame']
const references = ['reference_image', 'reference_video', 'reference_audio']
const seedance2: Family = {
  fields: {
    ...shared,
    ...newer,
    ...longer,
    resolution: oneOf('480p', '720p', '1080p', '4k'),
  },
  roles: [...frames, ...references],
}

/** How the dated model ids of a family begin, behind the vendor's own prefix. */
const families: readonly (readonly [prefix: string, family: Family])[] = [
  ['1-0-pro-fast', { fields: { ...shared, ...tier }, roles: ['first_frame'] }],
  ['1-0-pro', { fields: { ...shared, ...tier }, roles: frames }],
  ['1-0-lite-t2v', { fields: { ...shared, ...tier }, roles: [] }],
  ['1-0-lite-i2v', { fields: { ...shared, ...tier }, roles: [...frames, 'reference_image'] }],
  [
    '1-5-pro',
    {
      fields: {
        ...shared,
        ...tier,
        duration: { type: 'integer', min: 4, max: 12 },
        generate_audio: anyBoolean,
        draft: anyBoolean,
        safety_identifier: anyString,
      },
      roles: frames,
    },
  ],
  ['2-0-fast', seedance2],
  ['2-0-mini', seedance2],
  ['2-0', seedance2],
  ['2-5', { ...seedance2, fields: { ...seedance2.fields, duration: { type: 'integer', min: 4, max: 30 } } }],
]

function familyOf(model: string): Family | undefined {
  const name = /^(?:doubao-|dreamina-)?seedance-(.+)-\d{6}$/.exec(model)?.[1]
  const family = families.find(([prefix]) => prefix === name)?.[1]
  // A custom endpoint of the account may represent any model; ours is registered under one.
  return family ?? (/^ep-[\w-]+$/.test(model) ? families[0]?.[1] : undefined)
}

/** True for a model that Ark has. */
export function isArkModel(model: string): boolean {
  return familyOf(model) !== undefined
}

/** What Ark would reject in a task of a model that it has. Its clients send `null` for what is not set. */
export function findArkViolations(body: unknown, { media = true }: { media?: boolean } = {}): Violation[] {
  const family = familyOf(text(body, 'model') ?? '')
  if (family === undefined) return [{ field: 'model', kind: 'enum', value: at(body, 'model') }]
  const wrong = findViolations(family.fields, body, { nullIsAbsent: true, media })
  const misfit = (field: string): Violation => ({ field, kind: 'enum', value: at(body, field) })
  const [frameCount, duration] = [at(body, 'frames') ?? null, at(body, 'duration') ?? null]
  const hasBoth = frameCount !== null && duration !== null
  const isOff = typeof frameCount === 'number' && (frameCount - 25) % 4 !== 0
  return [
    ...wrong,
    ...(hasBoth || isOff ? [misfit('frames')] : []),
    ...(!media || isContent(at(body, 'content'), family) ? [] : [misfit('content')]),
  ]
}

/** A prompt, media in the roles that the model knows, or both. */
function isContent(value: unknown, { roles }: Family): boolean {
  const items = list(value)
  const kinds = items.map(roleOf)
  const isOnce = (role: string) => kinds.filter((kind) => kind === role).length <= 1
  return (
    kinds.length > 0 &&
    kinds.every((kind) => kind !== undefined && (kind === 'text' || roles.includes(kind))) &&
    ['text', ...frames].every(isOnce) &&
    !(kinds.includes('last_frame') && !kinds.includes('first_frame'))
  )
}

function roleOf(item: unknown): string | undefined {
  const type = text(item, 'type')
  if (type === 'text') return text(item, 'text') === undefined ? undefined : 'text'
  const url = text(item, type ?? '', 'url')
  if (url === undefined || !isMedia(url)) return undefined
  if (type === 'image_url') return text(item, 'role') ?? 'first_frame'
  if (type === 'video_url') return text(item, 'role') ?? 'reference_video'
  return type === 'audio_url' ? (text(item, 'role') ?? 'reference_audio') : undefined
}

function isMedia(url: string): boolean {
  return (
    link(url) !== undefined ||
    /^(data:(image\/(jpeg|png|webp|bmp|tiff|gif)|(video|audio)\/[\w.+-]+);base64,|asset:\/\/)/.test(url)
  )
}
