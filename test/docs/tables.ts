import { readFile, writeFile } from 'node:fs/promises'
import { faults } from '../../providers/faults.ts'
import { providers } from '../../providers/index.ts'
import type { Provider } from '../../providers/provider.ts'
import { errors } from '../../src/api/errors.ts'
import type { Model, Price } from '../../src/catalogue/model.ts'
import { models } from '../../src/catalogue/models/index.ts'
import { listRuleValues } from '../../src/catalogue/parameters.ts'
import { findRule } from '../../src/catalogue/rules.ts'

/** What a price is multiplied by. */
const units = { second: 's', video: 'video', megapixel: 'megapixel' } as const

/** The tables of the documentation that mirror code: file, then marker. */
export const tables: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    upstreams: table(
      ['upstream', 'settings', 'models'],
      Object.values(providers).map((provider) => [
        provider.title,
        accessesOf(provider)
          .map(({ variables }) => variables.map(code).join(' and '))
          .join('; or '),
        String(modelsOf(provider).length),
      ]),
    ),
  },
  'docs/api.md': {
    errors: table(
      ['HTTP', 'code', 'type'],
      Object.entries(errors).map(([name, { status, type }]) => [String(status), code(name), code(type)]),
    ),
    faults: table(
      ['code', 'caused by', 'another upstream may be tried'],
      Object.entries(faults).map(([name, { blame, elsewhere }]) => [
        code(name),
        blame,
        elsewhere ? 'yes' : 'no',
      ]),
    ),
  },
  'docs/models.md': {
    models: table(
      ['model', 'input', 'upstreams', 'seconds', 'resolutions', 'price (USD)'],
      models.map((model) => [
        code(model.id),
        model.modes.join(', '),
        model.providers.map((name) => providers[name].title).join(', '),
        choices(model, 'duration'),
        choices(model, 'resolution'),
        price(model.price),
      ]),
    ),
    notes: table(
      ['upstream', 'model', 'note'],
      Object.values(providers).flatMap(({ title, models: mappings }) =>
        Object.entries(mappings).flatMap(([id, { note }]) =>
          note === undefined ? [] : [[title, code(id), note]],
        ),
      ),
    ),
  },
  'docs/operations.md': {
    'upstream-keys': table(
      ['upstream', 'required settings', 'unlocks'],
      Object.values(providers).flatMap((provider) =>
        accessesOf(provider).map(({ variables, hosts }) => [
          provider.title,
          variables.map(code).join(', '),
          unlockedBy(provider, hosts),
        ]),
      ),
    ),
    'upstream-settings': table(
      ['upstream', 'setting', 'default', 'meaning'],
      Object.values(providers).flatMap(({ title, hosts, settings = {} }) => [
        ...Object.entries(hosts).map(([name, { baseUrl, baseUrlVariable }]) => [
          title,
          code(baseUrlVariable),
          baseUrl === undefined ? '' : code(baseUrl),
          `Base URL${Object.keys(hosts).length === 1 ? '' : ` (${name})`}`,
        ]),
        ...Object.entries(settings).map(([name, { default: value, description, choices: values }]) => [
          title,
          code(name),
          value === '' ? '' : code(value),
          `${description.replace(/\.$/, '')}${values === undefined ? '' : ` (${values.map(code).join(', ')})`}`,
        ]),
      ]),
    ),
  },
}

/** A file with its tables as it is, and as the code says that it should be. */
export async function renderTables(file: string): Promise<{ current: string; expected: string }> {
  const current = await readFile(urlOf(file), 'utf8')
  const expected = Object.entries(tables[file] ?? {}).reduce(
    (text, [name, rows]) =>
      text.replace(new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`), `$1${rows}$2`),
    current,
  )
  return { current, expected }
}

function urlOf(file: string): URL {
  return new URL(`../../${file}`, import.meta.url)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}

function code(text: string): string {
  return `\`${text}\``
}

/** Each set of settings that lets the gateway call an upstream, and the hosts that it opens. */
function accessesOf({ hosts }: Provider): { variables: string[]; hosts: string[] }[] {
  const accesses = new Map<string, string[]>()
  for (const [name, { baseUrl, baseUrlVariable, credentials }] of Object.entries(hosts)) {
    const variables = [...(baseUrl === undefined ? [baseUrlVariable] : []), ...credentials].join(' ')
    accesses.set(variables, [...(accesses.get(variables) ?? []), name])
  }
  return [...accesses].map(([variables, names]) => ({ variables: variables.split(' '), hosts: names }))
}

function modelsOf({ name }: Provider): Model[] {
  return models.filter((model) => model.providers.includes(name))
}

function unlockedBy(provider: Provider, hosts: readonly string[]): string {
  const [defaultHost = ''] = Object.keys(provider.hosts)
  const unlocked = modelsOf(provider).filter(({ id }) =>
    hosts.includes(provider.models[id]?.host ?? defaultHost),
  )
  return unlocked.length > 3 ? `${unlocked.length} models` : unlocked.map(({ id }) => code(id)).join(', ')
}

/** The values of a field in any mode. Four or more whole numbers in a row are written as a range. */
function choices(model: Model, field: 'duration' | 'resolution'): string {
  const values = new Set(model.modes.flatMap((mode) => listRuleValues(findRule(model, field, mode))))
  const rows: (string | number)[][] = []
  for (const value of [...values].sort(byNumber)) {
    const previous = rows.at(-1)?.at(-1)
    if (typeof previous === 'number' && value === previous + 1) rows.at(-1)?.push(value)
    else rows.push([value])
  }
  return rows.map((row) => (row.length > 3 ? `${row[0]} to ${row.at(-1)}` : row.join(', '))).join(', ')
}

/** Words keep their order. */
function byNumber(left: string | number, right: string | number): number {
  return typeof left === 'number' && typeof right === 'number' ? left - right : 0
}

function price({ per, rates }: Price): string {
  const amounts = rates.map(({ usd }) => usd)
  const [least, most] = [Math.min(...amounts), Math.max(...amounts)]
  return least === most ? `${least}/${units[per]}` : `${least} to ${most}/${units[per]}`
}

if (process.argv.includes('--write'))
  for (const file of Object.keys(tables)) await writeFile(urlOf(file), (await renderTables(file)).expected)
