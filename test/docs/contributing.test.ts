import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, readFile, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { providers } from '../../providers/index.ts'
import { createCleanup, temporaryFolder } from '../support/setup.ts'

const run = promisify(execFile)
const guide = await readFile('CONTRIBUTING.md', 'utf8')
const upstreamSection = /## Add an upstream\n(.*?)\n## /s.exec(guide)?.[1] ?? ''

/** The recipes, and what the checks that CONTRIBUTING names report for each. */
const recipes = [
  {
    name: 'the diff for a model in CONTRIBUTING',
    diff: /```diff\n(.*?)```/s.exec(guide)?.[1] ?? '',
    passed: [
      'kling-example, minimal',
      'kling-example costs what its source says',
      'kling-example (text) at fal',
    ],
  },
  {
    name: 'wavespeed-model.diff',
    diff: await readFile('test/docs/recipes/wavespeed-model.diff', 'utf8'),
    passed: [
      'wan-example, image, full',
      'wan-example costs what its source says',
      'wan-example (text) at wavespeed',
      'wan-example (image) at wavespeed',
    ],
  },
  {
    name: 'upstream.diff',
    diff: await readFile('test/docs/recipes/upstream.diff', 'utf8'),
    passed: [
      'acme-one, minimal',
      'acme-one costs what its source says',
      'acme-one (text) at acme',
      'acme: succeeded',
      'the replies show every way a job goes',
      'names every setting',
    ],
  },
]

describe('CONTRIBUTING', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  describe('recipes', () => {
    const errors = new Map<string, string>()
    let checks: { status: number; output: string }
    let types: { status: number; output: string }

    before(async () => {
      const copy = await copyTree()
      for (const { name, diff } of recipes) {
        const { status, output } = await runIn(copy, 'git', ['apply', '-C1', '-'], diff)
        if (status !== 0) errors.set(name, output)
      }
      ;[checks, types] = await Promise.all([
        runIn(copy, process.execPath, checkArguments()),
        checkTypes(copy),
      ])
    })

    for (const { name, passed } of recipes)
      it(`${name} applies and passes the checks that the guide names`, () => {
        assert.equal(errors.get(name), undefined, `${name} does not apply: update its context lines`)
        const titles = titlesOf('ok', checks.output)
        assert.deepEqual(
          passed.filter((title) => !titles.some((one) => one.startsWith(title))),
          [],
          'checks that did not pass',
        )
      })

    it('with all recipes applied, no check fails', () => {
      assert.deepEqual(titlesOf('not ok', checks.output), [])
      assert.equal(checks.status, 0, checks.output)
    })

    it('with all recipes applied, the types fit', () => {
      assert.equal(types.status, 0, types.output)
    })

    it('an upstream needs no file beside those that the table lists', () => {
      const changed = [...(recipes[2]?.diff.matchAll(/^\+\+\+ b\/(.+)$/gm) ?? [])].map(
        ([, path = '']) => path,
      )
      const listed = pathsOfTable().map((path) => path.replace('<name>', 'acme'))
      assert.deepEqual(
        changed.filter(
          (path) => !listed.some((one) => path === one || (one.endsWith('/') && path.startsWith(one))),
        ),
        [],
      )
      assert.deepEqual(
        listed.filter((path) => !changed.some((one) => one === path || one.startsWith(path))),
        [],
      )
    })
  })

  it('lists the files of an upstream, and every upstream has them', () => {
    const paths = pathsOfTable()
    assert.ok(paths.length > 8)
    for (const name of Object.keys(providers))
      for (const path of paths)
        for (const product of productsOf(name, path)) assert.ok(existsSync(product), product)
  })

  /** What the checks read. */
  async function copyTree(): Promise<string> {
    const copy = await temporaryFolder(cleanup)
    for (const entry of ['package.json', 'tsconfig.json', '.env.example', 'providers', 'src', 'test'])
      await cp(entry, join(copy, entry), { recursive: true })
    await symlink(resolve('node_modules'), join(copy, 'node_modules'))
    return copy
  }
})

/** All check commands of the guide as one, which starts fewer processes. */
function checkArguments(): string[] {
  const commands = [...guide.matchAll(/^node --test --test-name-pattern '?([^\s']+)'? (.*)$/gm)]
  assert.equal(commands.length, 2)
  const patterns = [...commands.map(([, pattern = '']) => pattern), 'wan-example']
  const files = new Set(commands.flatMap(([, , paths = '']) => paths.split(' ')))
  return [
    '--test',
    '--test-isolation=none',
    '--test-reporter=tap',
    '--test-name-pattern',
    patterns.join('|'),
    ...files,
  ]
}

/** Of the folders that a recipe adds files to. */
async function checkTypes(copy: string) {
  const include = ['providers', 'src/catalogue', 'src/sandbox/upstreams']
  await writeFile(
    join(copy, 'tsconfig.recipes.json'),
    JSON.stringify({ extends: './tsconfig.json', include }),
  )
  return runIn(copy, resolve('node_modules/.bin/tsc'), ['-p', 'tsconfig.recipes.json'])
}

async function runIn(cwd: string, command: string, args: readonly string[], input = '') {
  const started = run(command, args, { cwd, env: { ...process.env, NODE_TEST_CONTEXT: undefined } })
  started.child.stdin?.end(input)
  return started.then(
    ({ stdout }) => ({ status: 0, output: stdout }),
    ({ code, stdout, stderr }) => ({ status: Number(code), output: `${stdout}${stderr}` }),
  )
}

/** The titles of the tests with a result, of a report in TAP. */
function titlesOf(result: 'ok' | 'not ok', report: string): string[] {
  return [...report.matchAll(new RegExp(`^ *${result} \\d+ - (.+)$`, 'gm'))].map(([, title = '']) => title)
}

/** The files that the table names, `providers/<name>/index.ts` for example. */
function pathsOfTable(): string[] {
  const cells = [...upstreamSection.matchAll(/^\| (.+?) \|/gm)].map(([, cell = '']) => cell)
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]*[./][^`]*)`/g)].map(([, path = '']) => path))
}

/** ByteDance has two products, each with the files of a provider but one `index.ts` for both. */
function productsOf(name: string, path: string): string[] {
  const file = path.replace('<name>', name)
  if (name !== 'bytedance' || !file.startsWith('providers/bytedance/')) return [file]
  return ['ark', 'visual'].map((product) => file.replace('bytedance/', `bytedance/${product}/`))
}
