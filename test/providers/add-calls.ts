import { readFileSync, writeFileSync } from 'node:fs'
import { providers } from '../../providers/index.ts'
import type { Field, Json } from '../../providers/input.ts'
import type { EndpointMapping, Provider } from '../../providers/provider.ts'
import { fields } from '../../src/catalogue/fields.ts'
import type { Mode, Model, Rule } from '../../src/catalogue/model.ts'
import { models } from '../../src/catalogue/models/index.ts'
import { operationNames } from '../../src/catalogue/parameters.ts'
import { listRules } from '../../src/catalogue/rules.ts'
import { validateForModel } from '../../src/catalogue/validation/validate.ts'
import { smallestRequest } from './boundary-values.ts'
import { orderFor, wired } from './fixtures.ts'

/*
 * `node test/providers/add-calls.ts` adds the missing fixtures of calls: for each model, operation and upstream the smallest request and one
 * with every field that the upstream takes. Existing fixtures stay. Compare what it adds with the vendor's schema before you commit it.
 */

type Request = Readonly<Record<string, unknown>>
type CallFixture = { name: string; request: Request; call?: Json; unsupported?: string }

for (const provider of Object.values(providers)) {
  const path = new URL(`../fixtures/${provider.name}/calls.json`, import.meta.url)
  const fixtures: readonly CallFixture[] = JSON.parse(readFileSync(path, 'utf8'))
  const known = new Set(fixtures.map(({ request }) => request.model))
  const added = models
    .filter(({ id, providers: names }) => names.includes(provider.name) && !known.has(id))
    .flatMap((model) => model.modes.flatMap((mode) => fixturesOf(provider, model, mode)))
  if (added.length === 0) continue
  writeFileSync(path, `${JSON.stringify([...fixtures, ...added], null, 2)}\n`)
  process.stdout.write(`${provider.name}: ${added.length} calls added\n`)
}

function fixturesOf(provider: Provider, model: Model, mode: Mode): readonly CallFixture[] {
  const mapping = provider.models[model.id]
  if (mapping === undefined) return []
  const smallest = smallestRequest(model, mode)
  const name = `${model.id} ${operationNames[mode]}`
  const reason = rejectionOf(provider, mapping, model, smallest)
  if (reason !== undefined) return [{ name, request: smallest, unsupported: reason }]
  let fullest = smallest
  for (const [field, rule] of listRules(model, mode)) {
    const value = field in smallest ? undefined : unusualValue(field, rule)
    if (value === undefined) continue
    const candidate = { ...fullest, [field]: value }
    if (rejectionOf(provider, mapping, model, candidate) === undefined) fullest = candidate
  }
  const requests = fullest === smallest ? [smallest] : [smallest, fullest]
  return requests.map((request, index) => ({
    name: index === 0 ? name : `${name}, every field`,
    request,
    call: callOf(provider, mapping, model, request),
  }))
}

/** A value other than the default. */
function unusualValue(field: Field, { choices, fixed, min, max, default: defaultValue }: Rule): unknown {
  if (fixed !== undefined) return undefined
  const other = choices?.findLast((choice) => choice !== defaultValue)
  if (other !== undefined) return other
  const { kind } = fields[field]
  if (kind === 'switch') return defaultValue !== true
  if (kind === 'media') return `https://media.example/${field}.bin`
  if (kind === 'mediaList')
    return [`https://media.example/${field}-1.bin`, `https://media.example/${field}-2.bin`]
  if (kind === 'list') return [{ prompt: 'A red kite', duration: 3 }]
  if (kind === 'text' || kind === 'word') return 'blurred'
  if (kind === 'object' || kind === 'ratio' || kind === 'resolution' || kind === 'size') return undefined
  return max ?? (min === undefined ? 7 : min + 1)
}

function inputOf(model: Model, request: Request) {
  const admitted = validateForModel(model, request, { handling: 'strict' })
  return admitted.ok ? admitted.input : undefined
}

function rejectionOf(provider: Provider, mapping: EndpointMapping, model: Model, request: Request) {
  const input = inputOf(model, request)
  if (input === undefined) return 'not valid'
  const { settings } = orderFor(provider, input)
  return mapping.unsupported?.(input) ?? provider.check?.(mapping, input, settings)[0]?.message
}

function callOf(provider: Provider, mapping: EndpointMapping, model: Model, request: Request): Json {
  const input = inputOf(model, request)
  if (input === undefined) throw new Error(`${JSON.stringify(request)} is not valid`)
  return wired(provider.submit(mapping, orderFor(provider, input))) as Json
}
