import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildListEntry } from '../../src/catalogue/listing.ts'
import type { Mode, Model } from '../../src/catalogue/model.ts'
import { models } from '../../src/catalogue/models/index.ts'
import { operationNames, type ParameterForm } from '../../src/catalogue/parameters.ts'
import { findRule } from '../../src/catalogue/rules.ts'
import { validateRequest } from '../../src/catalogue/validation/validate.ts'
import { leastRequest } from '../support/least-request.ts'

type Listed = { field: string; value: unknown; more: Readonly<Record<string, unknown>> }

/** Every value that a form offers in a mode. */
function valuesIn(form: ParameterForm, mode: Mode): Listed[] {
  return Object.entries(form).flatMap(([field, { type, options, min, max, modes }]): Listed[] => {
    if (modes !== undefined && !modes.includes(operationNames[mode])) return []
    if (options !== undefined)
      return options.map(({ value, showWhen = {} }) => ({ field, value, more: showWhen }))
    const values = type === 'switch' ? [true, false] : [min, max].filter((bound) => bound !== undefined)
    return values.map((value) => ({ field, value, more: {} }))
  })
}

const flat = { durations: 'duration', resolutions: 'resolution', aspect_ratios: 'aspect_ratio' } as const

function flatValues(model: Model, mode: Mode): Listed[] {
  const { supported_parameters: common } = buildListEntry(model, true)
  const exact = common.modes?.[operationNames[mode]]
  return Object.entries(flat).flatMap(([list, field]) => {
    const lists = [common[list as keyof typeof flat], exact?.[list as keyof typeof flat]]
    if (findRule(model, field, mode) === undefined) return []
    return lists.flatMap((values = []) => values.map((value) => ({ field, value, more: {} })))
  })
}

for (const model of models) {
  test(`${model.id}: every value that its lists offer is accepted as it is, by strict callers too`, () => {
    const { parameters, modes } = buildListEntry(model, true).supported_parameters
    for (const mode of model.modes) {
      const forms = [parameters, modes?.[operationNames[mode]]?.parameters ?? {}]
      for (const { field, value, more } of [
        ...flatValues(model, mode),
        ...forms.flatMap((form) => valuesIn(form, mode)),
      ]) {
        const result = validateRequest(
          { ...leastRequest(model, mode), [field]: value, ...more },
          { handling: 'strict' },
        )
        const told = `${mode}: ${field} ${value}: ${JSON.stringify(result)}`
        assert.ok(result.ok, told)
        assert.deepEqual(result.warnings, [], told)
        assert.deepEqual(result.input[field as keyof typeof result.input], value, told)
      }
    }
  })
}

test('what one mode alone renders is offered for that mode', () => {
  const ratios = (id: string, mode: Mode) => {
    const model = models.find((one) => one.id === id)
    assert.ok(model !== undefined)
    const { aspect_ratios: common, modes } = buildListEntry(model, true).supported_parameters
    return [common, modes?.[operationNames[mode]]?.aspect_ratios]
  }
  assert.deepEqual(ratios('veo2-video', 'text'), [
    ['16:9', '9:16'],
    ['16:9', '9:16', '1:1'],
  ])
  assert.deepEqual(ratios('veo2-video', 'image')[1], ['16:9', '9:16'])
  assert.equal(ratios('wan-video-22-5b', 'image')[1]?.includes('auto'), true)
  assert.equal(ratios('seedance-video', 'text')[1]?.includes('9:21'), true)
})
