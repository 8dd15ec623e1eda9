import { isDeepStrictEqual } from 'node:util'
import type { Field } from '../../providers/input.ts'
import { commonRule, unconditionalRule } from './mode-rules.ts'
import type { Mode, Model, Rule } from './model.ts'
import { buildCommonForm, buildModeForm, listRuleValues, operationNames } from './parameters.ts'
import { buildDefaultInput, buildPricing } from './price.ts'
import { findRule, widestRule } from './rules.ts'

/** The part of an entry that all model lists share. */
export function buildModelSummary(model: Model) {
  return {
    id: model.id,
    object: 'model' as const,
    created: Date.parse(model.released) / 1000,
    owned_by: model.ownedBy,
  }
}

/** The detailed entry of a model list. `available`: the keys of an upstream of the model are set. */
export function buildListEntry(model: Model, isAvailable: boolean, toClientUsd?: (usd: number) => number) {
  const inputModalities = inputModalitiesOf(model)
  return {
    ...buildModelSummary(model),
    name: model.name,
    label: model.name,
    description: model.description,
    category: 'video' as const,
    tags: model.modes.map((mode) => operationNames[mode]),
    available: isAvailable,
    architecture: {
      modality: `${inputModalities.join('+')}->video`,
      input_modalities: inputModalities,
      output_modalities: ['video' as const],
    },
    pricing: buildPricing(model, toClientUsd),
    capabilities: buildCapabilities(model),
    settings: [],
    supported_parameters: readSupportedParameters(model),
  }
}

/** The entry of the older list that names each model by its id, as one web client reads it. */
export function buildLegacyListEntry(model: Model, toClientUsd?: (usd: number) => number) {
  return {
    name: model.name,
    description: model.description,
    dateAdded: new Date(model.released).toISOString(),
    cost: buildPricing(model, toClientUsd),
    subscription: { included: false, note: '' },
    additionalParams: readSupportedParameters(model).parameters,
    defaultSettings: buildDefaultInput(model),
  }
}

type Modality = 'text' | 'image' | 'audio' | 'video'

const modalityFields: Readonly<Record<Modality, readonly Field[]>> = {
  text: ['prompt', 'script'],
  image: ['image', 'last_image', 'referenceImages', 'swapImage'],
  audio: ['audio'],
  video: ['video', 'targetVideo', 'referenceVideos'],
}

function inputModalitiesOf(model: Model): readonly Modality[] {
  const modalities = Object.keys(modalityFields) as Modality[]
  return modalities.filter((modality) => modalityFields[modality].some((field) => takesField(model, field)))
}

function takesField(model: Model, field: Field): boolean {
  return widestRule(model, field) !== undefined
}

function buildCapabilities(model: Model) {
  return {
    video_generation: true as const,
    text_to_video: model.modes.includes('text'),
    image_to_video: takesField(model, 'image') || takesField(model, 'referenceImages'),
    video_to_video: model.modes.some((mode) => mode === 'video' || mode === 'edit' || mode === 'extend'),
    audio_input: takesField(model, 'audio'),
    audio_generation: takesField(model, 'generateAudio') || takesField(model, 'soundEffectSwitch'),
    fps_control: takesField(model, 'frames_per_second'),
    nsfw: takesField(model, 'enable_safety_checker'),
  }
}

/** Cached: models are constant, and the lists are public. */
const parameterCache = new WeakMap<Model, ReturnType<typeof buildSupportedParameters>>()

function readSupportedParameters(model: Model) {
  const parameters = parameterCache.get(model) ?? buildSupportedParameters(model)
  parameterCache.set(model, parameters)
  return parameters
}

/** The supported values, and per mode where the modes differ. */
function buildSupportedParameters(model: Model) {
  const maxReferenceImages = widestRule(model, 'referenceImages')?.max
  const commonForm = buildCommonForm(model)
  const modeForms = model.modes.map((mode) => [operationNames[mode], buildModeForm(model, mode)] as const)
  const modesDiffer = modeForms.some(([, form]) => !isDeepStrictEqual(form, commonForm))
  return {
    ...buildValueLists((field) => commonRule(model, field)),
    supported_modes: model.modes.map((mode) => operationNames[mode]),
    ...(maxReferenceImages !== undefined && { max_reference_images: maxReferenceImages }),
    parameters: commonForm,
    ...(modesDiffer && {
      modes: Object.fromEntries(
        model.modes.map((mode) => [operationNames[mode], buildModeParameters(model, mode)]),
      ),
    }),
  }
}

function buildModeParameters(model: Model, mode: Mode) {
  const lists = buildValueLists(
    (field) => findRule(model, field, mode) && unconditionalRule(model, field, mode),
  )
  return { ...lists, parameters: buildModeForm(model, mode) }
}

function buildValueLists(ruleFor: (field: Field) => Rule | undefined) {
  const durations = listRuleValues(ruleFor('duration'))
  const resolutions = listRuleValues(ruleFor('resolution')).map(String)
  const ratios = listRuleValues(ruleFor('aspect_ratio')).map(String)
  return {
    ...(durations.length > 0 && { durations }),
    ...(resolutions.length > 0 && { resolutions }),
    ...(ratios.length > 0 && { aspect_ratios: ratios }),
  }
}
