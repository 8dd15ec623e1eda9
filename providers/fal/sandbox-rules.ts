import type { SandboxTask } from '../sandbox.ts'
import { endingOf } from '../sandbox.ts'

type Complaint = { loc: readonly string[]; msg: string; type: string; input?: unknown }

/** What each kind of endpoint cannot do without; the first pattern that fits decides. */
const required: readonly (readonly [RegExp, readonly string[]])[] = [
  [/lipsync\/audio-to-video$/, ['video_url', 'audio_url']],
  [/lipsync\/text-to-video$/, ['video_url', 'text', 'voice_id']],
  [/animate\/(move|replace)$/, ['image_url', 'video_url']],
  [/upscale\/video$/, ['video_url']],
  [/fabric-1\.0$/, ['image_url', 'audio_url', 'resolution']],
  [/omnihuman/, ['image_url', 'audio_url']],
  [/image-to-video|wan-i2v$/, ['prompt', 'image_url']],
  [/./, ['prompt']],
]

/** What the model says of an input when its turn comes: nothing, what is wrong with it, or that it will not. */
export function complaintsAbout(task: SandboxTask): readonly Complaint[] {
  const [, names] = required.find(([pattern]) => pattern.test(task.endpoint)) ?? [/./, []]
  const missing = names
    .filter((name) => task.body[name] === undefined)
    .map((name) => refused('missing', name))
  const untyped = names
    .filter((name) => task.body[name] !== undefined && typeof task.body[name] !== 'string')
    .map((name) => refused('string_type', name))
  const ending = endingOf(task.body)
  if (ending === 'refuse') return [refused('content_policy_violation', 'prompt')]
  if (ending === 'invalid') return [...missing, ...untyped, refused('one_of', 'aspect_ratio')]
  return [...missing, ...untyped]
}

const messages: Readonly<Record<string, string>> = {
  missing: 'Field required',
  string_type: 'Input should be a valid string',
  one_of: "Input should be '16:9' or '9:16'",
  content_policy_violation: 'The content could not be processed because it was flagged by a content checker.',
  downstream_service_unavailable: 'Downstream service unavailable',
}

export function refused(type: string, ...field: readonly string[]): Complaint {
  return { loc: ['body', ...field], msg: messages[type] ?? type, type }
}
