import { isDeepStrictEqual } from 'node:util'
import type { Field } from '../../providers/input.ts'
import type { Mode, Model, Rule } from './model.ts'
import { commonRule, unconditionalRule } from './offered.ts'
import { formIn, formOf, listValues, operations } from './parameters.ts'
import { defaultsOf, pricingKeys } from './price.ts'
import { ruleOf, widestRule } from './rules.ts'

/** The part of a list entry that every model list has. */
export function brief(model: Model) {
  return {
    id: model.id,
    object: 'model' as const,
    created: Date.parse(model.released) / 1000,
    owned_by: model.ownedBy,
  }
}

/** The whole entry of a model list. `available`: an upstream that renders it has its keys. */
export function describe(model: Model, available: boolean, offered?: (usd: number) => number) {
  const inputs = inputsOf(model)
  return {
    ...brief(model),
    name: model.name,
    label: model.name,
    description: model.description,
    category: 'video' as const,
    tags: model.modes.map((mode) => operations[mode]),
    available,
    architecture: {
      modality: `${inputs.join('+')}->video`,
      input_modalities: inputs,
      output_modalities: ['video' as const],
    },
    pricing: pricingKeys(model, offered),
    capabilities: capabilitiesOf(model),
    settings: [],
    supported_parameters: supportedParameters(model),
  }
}

/** The entry of the older list that names each model by its id, as one web client reads it. */
export function describeOld(model: Model, offered?: (usd: number) => number) {
  return {
    name: model.name,
    description: model.description,
    dateAdded: new Date(model.released).toISOString(),
    cost: pricingKeys(model, offered),
    subscription: { included: false, note: '' },
    additionalParams: supportedParameters(model).parameters,
    defaultSettings: defaultsOf(model),
  }
}

type Modality = 'text' | 'image' | 'audio' | 'video'

const sources: Readonly<Record<Modality, readonly Field[]>> = {
  text: ['prompt', 'script'],
  image: ['image', 'last_image', 'referenceImages', 'swapImage'],
  audio: ['audio'],
  video: ['video', 'targetVideo', 'referenceVideos'],
}

function inputsOf(model: Model): readonly Modality[] {
  const modalities = Object.keys(sources) as Modality[]
  return modalities.filter((modality) => sources[modality].some((field) => takes(model, field)))
}

function takes(model: Model, field: Field): boolean {
  return widestRule(model, field) !== undefined
}

function capabilitiesOf(model: Model) {
  return {
    video_generation: true as const,
    text_to_video: model.modes.includes('text'),
    image_to_video: model.modes.includes('image') || takes(model, 'image'),
    video_to_video: model.modes.includes('video'),
    audio_input: takes(model, 'audio'),
    audio_generation: takes(model, 'generateAudio') || takes(model, 'soundEffectSwitch'),
    fps_control: takes(model, 'frames_per_second'),
    nsfw: takes(model, 'enable_safety_checker'),
  }
}

/** A model never changes, and anybody may ask for the lists. */
const known = new WeakMap<Model, ReturnType<typeof gatherParameters>>()

function supportedParameters(model: Model) {
  const found = known.get(model) ?? gatherParameters(model)
  known.set(model, found)
  return found
}

/** What every mode renders, and by mode where they differ. */
function gatherParameters(model: Model) {
  const references = widestRule(model, 'referenceImages')?.max
  const parameters = formOf(model)
  const byMode = model.modes.map((mode) => [operations[mode], formIn(model, mode)] as const)
  const differ = byMode.some(([, form]) => !isDeepStrictEqual(form, parameters))
  return {
    ...listsOf((field) => commonRule(model, field)),
    supported_modes: model.modes.map((mode) => operations[mode]),
    ...(references !== undefined && { max_reference_images: references }),
    parameters,
    ...(differ && {
      modes: Object.fromEntries(model.modes.map((mode) => [operations[mode], inMode(model, mode)])),
    }),
  }
}

function inMode(model: Model, mode: Mode) {
  const lists = listsOf((field) => ruleOf(model, field, mode) && unconditionalRule(model, field, mode))
  return { ...lists, parameters: formIn(model, mode) }
}

function listsOf(ruleFor: (field: Field) => Rule | undefined) {
  const durations = listValues(ruleFor('duration'))
  const resolutions = listValues(ruleFor('resolution')).map(String)
  const ratios = listValues(ruleFor('aspect_ratio')).map(String)
  return {
    ...(durations.length > 0 && { durations }),
    ...(resolutions.length > 0 && { resolutions }),
    ...(ratios.length > 0 && { aspect_ratios: ratios }),
  }
}
