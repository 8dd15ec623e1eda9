import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, relative, resolve } from 'node:path'
import { describe, it } from 'node:test'
import type { Redis } from 'ioredis'
import { compileScript } from '../../src/redis/compile-script.ts'
import {
  defineBatchScript,
  defineScript,
  loadBatchScript,
  loadScript,
  runScript,
} from '../../src/redis/script.ts'

const root = resolve(import.meta.dirname, '../..')
const luaFolder = resolve(root, 'src/redis/lua')
const readLua = (path: string) => readFileSync(resolve(luaFolder, `${path}.lua`), 'utf8')
const luaPaths = globSync('**/*.lua', { cwd: luaFolder })
  .map((path) => path.replace(/\.lua$/, ''))
  .sort()
const scriptPaths = luaPaths.filter((path) => !path.startsWith('lib/'))

/** Compiles a script from texts. */
function compile(files: Readonly<Record<string, string>>) {
  return compileScript('script', (path) => files[path] ?? assert.fail(`no file ${path}`))
}

/** A connection that records what it is sent. */
function createFakeRedis() {
  const sent: unknown[][] = []
  const redis: Record<string, unknown> = {
    defineCommand(name: string, definition: unknown) {
      sent.push(['define', name, definition])
      redis[name] = async (...values: unknown[]) => void sent.push([name, ...values])
    },
    eval: async (...values: unknown[]) => void sent.push(values),
  }
  return { redis: redis as unknown as Redis, sent }
}

describe('a Lua script', () => {
  it('reads its keys and arguments by name, in the order of its header', () => {
    const { keys, args, lua } = compile({
      script:
        '-- Does something.\n-- KEYS job   hash\n-- KEYS open  set\n-- ARGV id  its ID\n--          of a job\n\nreturn id',
    })
    assert.deepEqual([keys, args], [['job', 'open'], ['id']])
    assert.equal(lua, 'local job, open = unpack(KEYS, 1, 2)\nlocal id = unpack(ARGV, 1, 1)\nreturn id')
  })

  it('includes each file once, after those that the file itself includes', () => {
    const { lua } = compile({
      script: '-- @include b\n-- @include a\n\nscript()',
      'lib/a': '-- Shared.\n\na()',
      'lib/b': '-- @include a\n\nb()',
    })
    assert.equal(lua, 'a()\nb()\nscript()')
  })

  it('for many items declares the variables of each item', () => {
    const { lua, each } = compile({
      script:
        '-- ARGV keepMs  ms\n-- KEYS each job  hash\n-- KEYS each open  set\n-- ARGV each id  ID\n\n-- @item n\nreturn itemCount',
    })
    assert.deepEqual(each, { keys: ['job', 'open'], args: ['id'] })
    assert.equal(
      lua,
      [
        'local keepMs = unpack(ARGV, 1, 1)',
        'local itemCount = #KEYS / 2',
        'local job, open = unpack(KEYS, (n - 1) * 2 + 1, n * 2 + 0)',
        'local id = unpack(ARGV, (n - 1) * 1 + 2, n * 1 + 1)',
        'return itemCount',
      ].join('\n'),
    )
  })

  for (const [problem, files, message] of [
    ['a name without a description', { script: '-- KEYS job\n\n' }, /needs a name and a description/],
    ['a name twice', { script: '-- KEYS id  key\n-- ARGV id  ID\n\n' }, /the name id is taken/],
    ['a name of the language', { script: '-- ARGV next  time\n\n' }, /the name next is taken/],
    ['a number for a key', { script: '-- KEYS job  key\n\nreturn KEYS[1]' }, /by name/],
    [
      'a number for an argument in an included file',
      { script: '-- @include a\n\n', 'lib/a': '\nx(ARGV[1])' },
      /by name/,
    ],
    ['shared keys for many items', { script: '-- KEYS a  key\n-- KEYS each b  key\n\n' }, /per item only/],
    [
      'an included file whose names it does not have',
      { script: '-- KEYS job  key\n-- @include a\n\n', 'lib/a': '-- USES job notes\n\n' },
      /lib\/a\.lua uses notes/,
    ],
  ] as const)
    it(`is rejected with ${problem}`, () => {
      assert.throws(() => compile(files), message)
    })
})

describe('the Lua scripts of the gateway', () => {
  for (const path of scriptPaths)
    it(`${path} documents what it returns and uses each key and argument`, () => {
      assert.match(readLua(path), /^-- RETURNS /m)
      const { keys, args, each, lua } = compileScript(path, readLua)
      const code = lua.replaceAll(/--.*$|^\s*local [\w, ]+ = unpack\((?:KEYS|ARGV).*$/gm, '')
      for (const name of [...keys, ...args, ...each.keys, ...each.args])
        assert.match(code, new RegExp(`\\b${name}\\b`), `${name} is not used`)
    })

  it('are each loaded by one file', () => {
    const sources = globSync('src/**/*.ts', { cwd: root }).map((path) =>
      readFileSync(resolve(root, path), 'utf8'),
    )
    const loaded = sources.flatMap((text) =>
      [...text.matchAll(/load(?:Batch)?Script\('([^']+)'/g)].map(([, path]) => path),
    )
    assert.deepEqual(loaded.sort(), scriptPaths)
  })

  it('include every file of lib/', () => {
    const included = luaPaths.flatMap((path) =>
      [...readLua(path).matchAll(/^-- @include (.+)$/gm)].map(([, name]) => name),
    )
    const libraries = luaPaths.filter((path) => path.startsWith('lib/')).map((path) => basename(path))
    assert.deepEqual([...new Set(included)].sort(), libraries)
  })

  it('are the only Lua in src', () => {
    const withLua = globSync('src/**/*.ts', { cwd: root }).filter((path) =>
      /\b(KEYS|ARGV)\[\d/.test(readFileSync(resolve(root, path), 'utf8')),
    )
    assert.deepEqual(
      withLua.map((path) => relative('src', path)),
      [],
    )
  })
})

describe('a script that TypeScript calls', () => {
  const script = loadScript('upstreams/claim-retry', { keys: 'entry', args: 'retryAt now' })

  it('receives its arguments in the order of its header, whatever their order in the call', async () => {
    const { redis, sent } = createFakeRedis()
    const claimRetry = defineScript(redis, 'claimRetry', script)
    await claimRetry({ args: { retryAt: 2, now: 1 }, keys: { entry: 'key' } })
    await claimRetry({ keys: { entry: 'key' }, args: { now: 1, retryAt: 2 } })
    await runScript(redis, script, { keys: { entry: 'key' }, args: { retryAt: 2, now: 1 } })
    assert.deepEqual(sent, [
      ['define', 'claimRetry', { lua: script.lua, numberOfKeys: 1 }],
      ['claimRetry', 'key', 1, 2],
      ['claimRetry', 'key', 1, 2],
      [script.lua, 1, 'key', 1, 2],
    ])
  })

  it('is not loaded if TypeScript has an additional, missing or misplaced name', () => {
    for (const [keys, args] of [
      ['entry', 'now'],
      ['entry', 'now retryAt reason'],
      ['entry now', 'retryAt'],
      ['', 'now retryAt'],
    ] as const)
      assert.throws(
        () => loadScript('upstreams/claim-retry', { keys, args }),
        /claim-retry\.lua: its header has/,
      )
    const each = { keys: 'job', args: 'id' }
    assert.throws(() => loadBatchScript('jobs/read-statuses', { args: '', each }), /its header has/)
  })

  it('throws at once, without a Redis call, if a key or an argument is missing or unknown', () => {
    const { redis, sent } = createFakeRedis()
    const claimRetry = defineScript(redis, 'claimRetry', script)
    for (const [keys, args, message] of [
      [{ entry: 'key' }, { now: 1 }, /retryAt is missing/],
      [{ entry: 'key' }, { now: 1, retryAt: undefined }, /retryAt is missing/],
      [{ entry: 'key' }, { now: 1, retryAt: null }, /retryAt is missing/],
      [{}, { now: 1, retryAt: 2 }, /entry is missing/],
      [{ entry: 'key' }, { now: 1, retryAt: 2, keepMs: 3 }, /keepMs is not in its header/],
    ] as const)
      assert.throws(() => claimRetry({ keys, args } as never), { name: 'TypeError', message })
    assert.equal(sent.length, 1)
  })

  it('for many items receives their keys first, then the shared arguments, then theirs', async () => {
    const { redis, sent } = createFakeRedis()
    const header =
      '-- ARGV keepMs  ms\n-- KEYS each job  key\n-- ARGV each id  ID\n-- ARGV each at  ms\n\nreturn 1'
    const names = { args: 'keepMs', each: { keys: 'job', args: 'at id' } } as const
    const batch = { ...compileScript('batch', () => header), names }
    const call = defineBatchScript(redis, 'batch', batch)
    await call({
      args: { keepMs: 9 },
      items: [
        { keys: { job: 'a' }, args: { at: 1, id: 'x' } },
        { keys: { job: 'b' }, args: { id: 'y', at: 2 } },
      ],
    })
    assert.deepEqual(sent.at(-1), ['batch', 2, 'a', 'b', 9, 'x', 1, 'y', 2])
    const [item] = [{ keys: { job: 'a' }, args: { at: 1 } }]
    assert.throws(() => call({ args: { keepMs: 9 }, items: [item as never] }), /id is missing/)
  })
})
