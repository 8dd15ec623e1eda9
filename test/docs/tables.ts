import { readFile, writeFile } from 'node:fs/promises'
import { faults } from '../../providers/fault.ts'
import { providers } from '../../providers/index.ts'
import { errors } from '../../src/api/errors.ts'
import { models } from '../../src/catalogue/index.ts'
import type { Model, Price } from '../../src/catalogue/model.ts'

const readme = new URL('../../README.md', import.meta.url)

/** The tables of the README that mirror code, by their marker. */
export const tables: Readonly<Record<string, string>> = {
  faults: table(
    ['code', 'whose doing', 'another upstream may be tried'],
    Object.entries(faults).map(([code, { blame, elsewhere }]) => [
      `\`${code}\``,
      blame,
      elsewhere ? 'yes' : 'no',
    ]),
  ),
  errors: table(
    ['HTTP', 'code', 'type'],
    Object.entries(errors).map(([code, { status, type }]) => [String(status), `\`${code}\``, `\`${type}\``]),
  ),
  models: table(
    ['model', 'from', 'upstreams', 'seconds', 'resolutions', 'price (USD)'],
    models.map((model) => [
      `\`${model.id}\``,
      model.modes.join(', '),
      model.providers.map((name) => providers[name].title).join(', '),
      choices(model, 'duration'),
      choices(model, 'resolution'),
      price(model.price),
    ]),
  ),
}

/** The README with its tables as the code has them now. */
export async function renderReadme(): Promise<{ now: string; should: string }> {
  const now = await readFile(readme, 'utf8')
  const should = Object.entries(tables).reduce(
    (text, [name, rows]) =>
      text.replace(new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`), `$1${rows}$2`),
    now,
  )
  return { now, should }
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}

function choices({ fields }: Model, field: 'duration' | 'resolution'): string {
  const rule = fields[field]
  if (rule === undefined) return ''
  if (rule.fixed !== undefined) return String(rule.fixed)
  if (rule.choices !== undefined) return rule.choices.join(', ')
  return rule.min === undefined ? '' : `${rule.min} to ${rule.max}`
}

function price({ per, rates }: Price): string {
  const figures = rates.map(({ usd }) => usd)
  const [least, most] = [Math.min(...figures), Math.max(...figures)]
  const unit = per === 'second' ? '/s' : '/video'
  return least === most ? `${least}${unit}` : `${least} to ${most}${unit}`
}

if (process.argv.includes('--write')) await writeFile(readme, (await renderReadme()).should)
