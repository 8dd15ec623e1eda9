import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, readFile, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { after, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { providers } from '../../providers/index.ts'
import { createCleanup, temporaryFolder } from '../support/setup.ts'

const run = promisify(execFile)
const guide = await readFile('CONTRIBUTING.md', 'utf8')

describe('CONTRIBUTING', () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())

  it('adds a model with its diff, and the model passes the checks that it names', async () => {
    const [, diff = ''] = /```diff\n(.*?)```/s.exec(guide) ?? []
    const [, pattern = '', files = ''] = /node --test --test-name-pattern (\S+) (.*)/.exec(guide) ?? []
    const copy = await copyTree()
    const apply = run('git', ['apply', '-'], { cwd: copy })
    apply.child.stdin?.end(diff)
    await apply
    const { stdout } = await run(
      process.execPath,
      ['--test', '--test-reporter=tap', '--test-name-pattern', pattern, ...files.split(' ')],
      { cwd: copy, env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
    )
    for (const check of ['the least request is admitted', 'costs what its source says', 'minimal'])
      assert.match(stdout, new RegExp(`^\\s*ok .*${pattern}.*${check}`, 'm'))
    assert.doesNotMatch(stdout, /^\s*not ok/m)
  })

  it('lists the files of an upstream, and every upstream has them', () => {
    const [, table = ''] = /## Add an upstream\n(.*?)\n## /s.exec(guide) ?? []
    const paths = [...table.matchAll(/`((?:providers|src|test)\/[^`]+)`/g)].map(([, path = '']) => path)
    assert.ok(paths.length > 8)
    for (const name of Object.keys(providers))
      for (const path of paths)
        for (const product of productsOf(name, path)) assert.ok(existsSync(product), product)
  })

  /** What the checks read. */
  async function copyTree(): Promise<string> {
    const copy = await temporaryFolder(cleanup)
    for (const entry of ['package.json', 'providers', 'src', 'test'])
      await cp(entry, join(copy, entry), { recursive: true })
    await symlink(resolve('node_modules'), join(copy, 'node_modules'))
    return copy
  }
})

/** ByteDance has two products, each with the files of a provider but one `index.ts` for both. */
function productsOf(name: string, path: string): string[] {
  const file = path.replace('<name>', name)
  if (name !== 'bytedance' || !file.startsWith('providers/bytedance/')) return [file]
  return ['ark', 'visual'].map((product) => file.replace('bytedance/', `bytedance/${product}/`))
}
