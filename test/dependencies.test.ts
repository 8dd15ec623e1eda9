import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { describe, it } from 'node:test'
import { providers } from '../providers/index.ts'

const root = resolve(import.meta.dirname, '..')
const files = globSync('{src,providers}/**/*.ts', { cwd: root })

describe('the rooms', () => {
  it('src imports providers, never the other way, and a provider only its own folder and the shared files', () => {
    const crossings = files
      .filter((file) => file.startsWith('providers'))
      .flatMap((file) =>
        importsOf(file)
          .filter((target) => !allowed(file, target))
          .map((target) => `${file} -> ${target}`),
      )
    assert.deepEqual(
      crossings.filter((crossing) => !crossing.startsWith(join('providers', 'index.ts'))),
      [],
    )
  })

  it('the environment is read at the two entry points only, and handed to config.ts', () => {
    const readers = files.filter((file) => readFileSync(join(root, file), 'utf8').includes('process.env'))
    assert.deepEqual(readers.sort(), [join('src', 'cli', 'keys.ts'), join('src', 'main.ts')])
  })

  it('no provider is named in src/jobs', () => {
    const names = new RegExp(`['"\`](${Object.keys(providers).join('|')})['"\`]`)
    const jobs = files.filter((file) => file.startsWith(join('src', 'jobs')))
    assert.ok(jobs.length > 0)
    assert.deepEqual(
      jobs.filter((file) => names.test(readFileSync(join(root, file), 'utf8'))),
      [],
    )
  })
})

/** Own imports of a file, as paths from the root. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/from '(\.[^']+)'/g)].map(([, target = '']) =>
    relative(root, resolve(root, dirname(file), target)),
  )
}

function allowed(file: string, target: string): boolean {
  const shared =
    target.split(sep).length === 2 &&
    target.startsWith(`providers${sep}`) &&
    target !== join('providers', 'index.ts')
  return shared || (dirname(file) !== 'providers' && target.startsWith(dirname(file) + sep))
}
