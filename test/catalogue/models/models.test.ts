import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { Field, Input } from '../../../providers/input.ts'
import { operationOf } from '../../../providers/operation.ts'
import { fields } from '../../../src/catalogue/fields.ts'
import { buildListEntry } from '../../../src/catalogue/listing.ts'
import type { Mode, Model, Rule } from '../../../src/catalogue/model.ts'
import { findModel, models } from '../../../src/catalogue/models/index.ts'
import { quotePrice } from '../../../src/catalogue/price.ts'
import { buildRequestSchema } from '../../../src/catalogue/request-schema.ts'
import { findRule, widestRule } from '../../../src/catalogue/rules.ts'
import { validateRequest } from '../../../src/catalogue/validation/validate.ts'
import { leastRequest } from '../../support/least-request.ts'

function assertFits(model: Model, { operation: _, ...input }: Input) {
  const schema = TypeCompiler.Compile(buildRequestSchema(model))
  assert.deepEqual([...schema.Errors({ model: model.id, ...input })], [])
}

test('every id is one model', () => {
  const ids = models.map((model) => model.id)
  assert.deepEqual(ids, [...new Set(ids)])
  for (const id of ids) {
    assert.equal(id, id.toLowerCase())
    assert.equal(findModel(` ${id.toUpperCase()} `)?.id, id)
  }
})

for (const model of models) {
  for (const mode of model.modes) {
    test(`${model.id}, ${mode}: the least request is admitted, fits the schema and has a price`, () => {
      const request = leastRequest(model, mode)
      const admitted = validateRequest(request)
      assert.ok(admitted.ok, JSON.stringify(admitted))
      assert.equal(operationOf(model.modes, admitted.input), mode)
      assert.deepEqual(admitted.warnings, [])
      assertFits(model, admitted.input)
      const { usd, seconds } = quotePrice(model, admitted.input)
      assert.ok(usd > 0 && usd < 100, `${usd} USD`)
      assert.ok(seconds === undefined || seconds > 0)
    })
  }

  test(`${model.id}: whatever is admitted has a price`, () => {
    const named = model.price.rates.flatMap(({ when = {} }) => Object.keys(when) as Field[])
    for (const mode of model.modes) {
      for (const input of combinations([...new Set(named)], (field) => priced(model, field, mode))) {
        const { usd } = quotePrice(model, { duration: 5, resolution: '720p', ...input })
        assert.ok(usd > 0, JSON.stringify(input))
      }
    }
  })

  test(`${model.id}: the entry agrees with itself`, () => {
    for (const field of Object.keys(model.fields) as Field[]) {
      assert.notEqual(widestRule(model, field), undefined, `${field} is taken in no mode`)
      for (const mode of model.modes) assertSound(field, findRule(model, field, mode))
    }
    assert.ok(model.deadlineSeconds > model.typicalSeconds)
    assert.ok(!Number.isNaN(Date.parse(model.released)))
    assert.match(model.description, /^[A-Z].*\.$/)
  })

  test(`${model.id}: a list entry has what clients need`, () => {
    const { capabilities, supported_parameters, architecture } = buildListEntry(model, true)
    const { text_to_video, image_to_video, video_to_video } = capabilities
    assert.ok(text_to_video || image_to_video || video_to_video)
    assert.notDeepEqual(architecture.input_modalities, [])
    assert.notDeepEqual(Object.keys(supported_parameters.parameters), [])
  })
}

/** Choices spelled as they are read; a default that can be rendered. */
function assertSound(field: Field, rule: Rule | undefined) {
  if (rule === undefined) return
  const { choices, default: usual, min, max } = rule
  if (['ratio', 'resolution', 'size'].includes(fields[field].kind)) {
    for (const choice of choices ?? []) assert.equal(choice, String(choice).toLowerCase(), field)
  }
  if (['seconds', 'number', 'integer'].includes(fields[field].kind)) {
    for (const choice of choices ?? []) assert.equal(typeof choice, 'number', field)
  }
  if (usual === undefined) return
  if (choices !== undefined)
    assert.ok(choices.includes(usual as string | number), `${field} default ${usual}`)
  if (typeof usual === 'number') assert.ok(usual >= (min ?? usual) && usual <= (max ?? usual), field)
}

/** The values of a field between which a price may have to choose. */
function priced(model: Model, field: Field, mode: Mode): readonly (string | number | boolean | undefined)[] {
  const rule = findRule(model, field, mode)
  if (rule === undefined) return [undefined]
  if (rule.fixed !== undefined) return [rule.fixed]
  const absent = rule.default === undefined && rule.required !== true ? [undefined] : []
  if (rule.choices !== undefined) return [...rule.choices, ...absent]
  if (fields[field].kind === 'switch') return [true, false, ...absent]
  const named = model.price.rates.map(({ when }) => when?.[field]).filter((value) => value !== undefined)
  return [...named, ...absent]
}

type Loose = Partial<Record<Field, unknown>>

function combinations(
  names: readonly Field[],
  valuesOf: (field: Field) => readonly unknown[],
): readonly Input[] {
  let all: readonly Loose[] = [{}]
  for (const field of names) {
    all = all.flatMap((one) =>
      valuesOf(field).map((value) => (value === undefined ? one : { ...one, [field]: value })),
    )
  }
  return all as readonly Input[]
}

const fixtures = join(import.meta.dirname, '../../fixtures')

for (const path of globSync('*/calls.json', { cwd: fixtures })) {
  test(`what ${path} asks for fits the schemas`, () => {
    const calls: readonly { name: string; request: Record<string, unknown> }[] = JSON.parse(
      readFileSync(join(fixtures, path), 'utf8'),
    )
    for (const { name, request } of calls) {
      const admitted = validateRequest(request)
      assert.ok(admitted.ok, `${name}: ${JSON.stringify(admitted)}`)
      assertFits(admitted.model, admitted.input)
    }
  })
}
