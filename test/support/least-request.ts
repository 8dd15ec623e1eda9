import type { Field } from '../../providers/input.ts'
import { allFields } from '../../src/catalogue/fields.ts'
import type { Mode, Model } from '../../src/catalogue/model.ts'
import { findRule } from '../../src/catalogue/rules.ts'

const samples: Partial<Record<Field, unknown>> = {
  image: 'https://files.example/one.png',
  video: 'https://files.example/one.mp4',
  audio: 'https://files.example/one.mp3',
  swapImage: 'https://files.example/face.png',
  targetVideo: 'https://files.example/two.mp4',
}

/** The smallest valid request of a model in a mode. */
export function leastRequest(model: Model, mode: Mode = model.modes[0]): Record<string, unknown> {
  const needed = allFields.filter((field) => findRule(model, field, mode)?.required !== undefined)
  const source: readonly Field[] = mode === 'image' ? ['image'] : []
  const entries = [...needed, ...source].map((field) => [
    field,
    findRule(model, field, mode)?.choices?.[0] ?? samples[field] ?? 'a fox',
  ])
  return { model: model.id, ...Object.fromEntries(entries) }
}
