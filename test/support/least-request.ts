import type { Field } from '../../providers/input.ts'
import { impliedOperation } from '../../providers/operation.ts'
import { allFields } from '../../src/catalogue/fields.ts'
import type { Mode, Model } from '../../src/catalogue/model.ts'
import { operationNames } from '../../src/catalogue/parameters.ts'
import { findRule } from '../../src/catalogue/rules.ts'

const samples: Partial<Record<Field, unknown>> = {
  image: 'https://files.example/one.png',
  video: 'https://files.example/one.mp4',
  audio: 'https://files.example/one.mp3',
  swapImage: 'https://files.example/face.png',
  targetVideo: 'https://files.example/two.mp4',
  referenceImages: ['https://files.example/one.png'],
  referenceVideos: ['https://files.example/one.mp4'],
  referenceAudios: ['https://files.example/one.mp3'],
}

/** The smallest valid request of a model in a mode. */
export function leastRequest(model: Model, mode: Mode = model.modes[0]): Record<string, unknown> {
  const needed = allFields.filter((field) => findRule(model, field, mode)?.required !== undefined)
  const source: readonly Field[] = mode === 'image' ? ['image'] : []
  const entries = [...needed, ...source].map((field) => [
    field,
    findRule(model, field, mode)?.choices?.[0] ?? samples[field] ?? 'a fox',
  ])
  const request = Object.fromEntries(entries)
  const isImplied = impliedOperation(model.modes, (field) => field in request) === mode
  return { model: model.id, ...(!isImplied && { mode: operationNames[mode] }), ...request }
}
