import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildListEntry } from '../../src/catalogue/listing.ts'
import { models } from '../../src/catalogue/models/index.ts'

/** The members of an entry, as the published shape of the list has them; `?` may be missing. */
const shape = {
  id: 'string',
  object: 'string',
  created: 'number',
  owned_by: 'string',
  name: 'string',
  label: 'string',
  description: 'string',
  category: 'string',
  tags: 'array',
  available: 'boolean',
  architecture: 'object',
  pricing: 'object',
  capabilities: 'object',
  settings: 'array',
  supported_parameters: 'object',
}

/** Every pricing key that client programs are known to parse. */
const pricingKeys = new Set([
  ...['currency', 'per_second', 'per_second_by_resolution', 'per_duration', 'per_video', 'per_resolution'],
  ...['text_to_video_per_second', 'image_to_video_per_second', 'audio_multiplier', 'minimum'],
  ...['default_duration', 'supported_durations', 'fixed_duration_seconds'],
])

const capabilities = [
  ...['video_generation', 'text_to_video', 'image_to_video', 'video_to_video'],
  ...['audio_input', 'audio_generation', 'fps_control', 'nsfw'],
]

const flatLists = [
  'durations',
  'resolutions',
  'aspect_ratios',
  'supported_modes',
  'max_reference_images',
  'modes',
  'parameters',
]
const parameterTypes = ['select', 'switch', 'boolean', 'number', 'text']

for (const model of models) {
  test(`${model.id} is listed in the published shape`, () => {
    const entry = JSON.parse(JSON.stringify(buildListEntry(model, true)))
    const types = Object.entries(entry).map(([name, value]) => [
      name,
      Array.isArray(value) ? 'array' : typeof value,
    ])
    assert.deepEqual(Object.fromEntries(types), shape)
    assert.deepEqual([entry.object, entry.category], ['model', 'video'])
    assert.ok(Number.isInteger(entry.created) && entry.created > 1_600_000_000)

    const { modality, input_modalities, output_modalities } = entry.architecture
    assert.equal(modality, `${input_modalities.join('+')}->video`)
    assert.deepEqual(output_modalities, ['video'])
    assert.ok(input_modalities.every((one: string) => ['text', 'image', 'audio', 'video'].includes(one)))

    assert.deepEqual(Object.keys(entry.capabilities), capabilities)
    assert.ok(Object.values(entry.capabilities).every((one) => typeof one === 'boolean'))
    assert.equal(entry.capabilities.video_generation, true)
    // Two clients show a model only if one of the first two is true, which it cannot be where a video is all that goes in.
    const { text_to_video, image_to_video, video_to_video } = entry.capabilities
    assert.ok(text_to_video || image_to_video || video_to_video)

    assert.equal(entry.pricing.currency, 'USD')
    assert.deepEqual(
      Object.keys(entry.pricing).filter((key) => !pricingKeys.has(key)),
      [],
    )
    assert.equal([entry.pricing.per_second, entry.pricing.per_video].filter((usd) => usd > 0).length, 1)
    for (const [key, usd] of Object.entries(entry.pricing)) {
      const figures = typeof usd === 'object' && usd !== null ? Object.values(usd) : [usd]
      if (key !== 'currency')
        assert.ok(
          figures.every((figure) => Number(figure) > 0),
          key,
        )
    }

    const {
      parameters,
      durations = [],
      resolutions = [],
      aspect_ratios = [],
      ...others
    } = entry.supported_parameters
    assert.deepEqual(
      Object.keys(others).filter((name) => !flatLists.includes(name)),
      [],
    )
    assert.ok(durations.every((value: unknown) => typeof value === 'number'))
    assert.ok([...resolutions, ...aspect_ratios].every((value: unknown) => typeof value === 'string'))
    for (const [field, parameter] of Object.entries<Record<string, unknown>>(parameters)) {
      assert.ok(parameterTypes.includes(String(parameter.type)), field)
      assert.ok(parameter.label && parameter.description, field)
      const options = (parameter.options ?? []) as { value: unknown; label: unknown }[]
      assert.equal(options.length > 0, parameter.type === 'select', field)
      assert.ok(
        options.every(({ value, label }) => value !== undefined && typeof label === 'string'),
        field,
      )
      if (parameter.default === undefined || options.length === 0) continue
      assert.ok(
        options.some(({ value }) => value === parameter.default),
        `${field} defaults to none of its options`,
      )
    }
    assert.deepEqual(
      durations,
      (parameters.duration?.options ?? []).map(({ value }: { value: unknown }) => value),
    )
  })
}
