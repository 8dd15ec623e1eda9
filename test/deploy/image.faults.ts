import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, cp, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { clientOf } from '../accounts/test-accounts.ts'
import { startProxy } from '../faults/redis-proxy.ts'
import { createCleanup, startRedis, temporaryFolder } from '../support/setup.ts'

const run = promisify(execFile)

/** Where the whole root is read-only but one folder, and the user is nobody. `$1` is that folder, the rest the command. */
const confine = `
set -e
mount --bind "$1" "$1"
mount -o remount,ro,bind /
for at in /tmp /var/tmp /dev/shm; do
  mountpoint -q "$at" && mount -o remount,ro "$at" || true
done
cd "$2"
shift 2
exec setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all --no-new-privs -- "$@"
`
const mayConfine =
  spawnSync('unshare', ['-m', 'sh', '-c', 'mount -o remount,ro,bind / && command -v setpriv']).status === 0

/** No Docker engine is needed: the same files, and the same rights as in the container. */
describe('the image', { skip: mayConfine ? false : 'needs the right to mount' }, () => {
  const cleanup = createCleanup()
  after(() => cleanup.run())
  let app: string
  let data: string
  let env: Record<string, string>

  before(async () => {
    const home = await temporaryFolder(cleanup)
    await chmod(home, 0o755)
    app = join(home, 'app')
    data = join(home, 'data')
    await mkdir(app)
    await mkdir(data)
    spawnSync('chown', ['65534:65534', data])
    const dockerfile = await readFile('Dockerfile', 'utf8')
    for (const [, files = ''] of dockerfile.matchAll(/^COPY (.+) \S+$/gm)) {
      for (const file of files.split(' ')) await cp(file, join(app, file), { recursive: true })
    }
    await run('npm', ['ci', '--omit=dev', '--prefer-offline'], { cwd: app })
    const node = join(home, 'node')
    await copyFile(process.execPath, node)
    await chmod(node, 0o755)
    const { url } = await startRedis(cleanup)
    const proxy = await startProxy(cleanup, { path: url })
    const [, settings = ''] = /^ENV (NODE_ENV=.*)$/m.exec(dockerfile) ?? []
    env = {
      ...Object.fromEntries(settings.split(' ').map((one) => one.split('=') as [string, string])),
      PATH: `${home}:${process.env.PATH ?? ''}`,
      HOME: '/nonexistent',
      DATA_DIR: data,
      REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
      PORT: '0',
      SANDBOX_RENDER_SECONDS: '0',
      KEYS_COMMAND: 'docker compose exec api node src/cli/keys.ts',
    }
  })

  const confined = (command: readonly string[]) => ['-m', 'sh', '-c', confine, 'sh', data, app, ...command]

  function start(): { child: ChildProcess; address: Promise<string> } {
    const child = spawn('unshare', confined(['node', 'src/main.ts']), {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    cleanup.add(async () => {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
    })
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const written: string[] = []
    createInterface({ input: child.stdout }).on('line', (line) => {
      written.push(line)
      const address = /http:\/\/[\d.]+:\d+/.exec(line)?.[0]
      if (address !== undefined) resolve(address.replace('0.0.0.0', '127.0.0.1'))
    })
    child.once('exit', () => reject(new Error(`it did not start: ${written.join('\n')}`)))
    return { child, address: promise }
  }

  it('writes only below /data', async () => {
    const touch = (file: string) => spawnSync('unshare', confined(['touch', file]), { env }).status
    assert.equal(touch(join(data, 'probe')), 0)
    for (const file of [join(app, 'probe'), '/tmp/probe', '/var/tmp/probe'])
      assert.notEqual(touch(file), 0, file)
  })

  it('requires an API key, and the logged command creates one that works at once', async () => {
    const address = await start().address
    for (const path of ['/health', '/ready']) assert.equal((await fetch(address + path)).status, 200)
    const locked = await clientOf(address).submit()
    assert.equal(locked.status, 401)
    const [, command = ''] = /docker compose exec api (.*) --name/.exec(String(locked.body.message)) ?? []
    const made = await run('unshare', confined([...command.split(' '), '--name', 'first']), { env })
    const client = clientOf(address, made.stdout.split('\n')[0])
    while ((await client.request('POST', '/api/check-balance')).status === 401)
      await new Promise(setImmediate)
    const { body } = await client.submit()
    assert.equal((await client.waitForEnd(body.runId)).stage, 'succeeded')

    const listed = await run('unshare', confined(['npm', 'run', 'keys', '--', 'list']), { env })
    assert.match(listed.stdout, /first/)
  })

  it('warns about keys that AUTH=off ignores', async () => {
    const off = { ...env, AUTH: 'off' }
    const command = confined(['node', 'src/cli/keys.ts', 'create', '--name', 'second'])
    const { stdout, stderr } = await run('unshare', command, { env: off })
    assert.match(stdout, /^sk-reelgate-/)
    assert.match(stderr, /^Warning: AUTH=off/)
  })
})
