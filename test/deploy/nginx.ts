import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cleanup, temporaryFolder } from '../support/setup.ts'

export type Nginx = {
  address: string
  port: number
  /** Everything in its logs and its cache. */
  written(): Promise<string>
}

const isThere = () => spawnSync('nginx', ['-v']).status === 0

/** Installs nginx if the system allows it. Returns false without nginx. */
export function requireNginx(): boolean {
  if (isThere()) return true
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const apt = (...words: string[]) => {
    const [command = '', ...args] = [
      ...prefix,
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'RUNLEVEL=1',
      'apt-get',
    ]
    return spawnSync(command, [...args, '-qq', '-o=DPkg::Lock::Timeout=60', ...words]).status === 0
  }
  const install = () => apt('install', '-y', '--no-install-recommends', 'nginx')
  if (!install() && apt('update')) install()
  // The package enables an unwanted service on port 80.
  if (existsSync('/run/systemd/system')) spawnSync('systemctl', ['disable', '--now', 'nginx'])
  return isThere()
}

/** The shipped configuration, with the folders, ports and small pieces of a test. */
export async function shippedConfig(gateway: string): Promise<string> {
  const config = await readFile('deploy/nginx.conf', 'utf8')
  return replaceAll(config, {
    'server 127.0.0.1:3000;': `server ${new URL(gateway).host};`,
    'slice 1m;': 'slice 4k;',
  })
}

/** Throws if the configuration does not contain the text. */
export function replaceAll(config: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the configuration has no ${from}`)
    return text.replaceAll(from, to)
  }, config)
}

/** The nginx defaults without header settings. */
export function defaultConfig(gateway: string, location = '/'): string {
  return `pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events {}
http {
  client_max_body_size 64m;
  server {
    listen 80;
    location ${location} { proxy_pass ${gateway}${location === '/' ? '' : '/'}; }
  }
}
`
}

/** Runs nginx on a port of loopback, with its files in a separate folder. */
export async function startNginx(cleanup: Cleanup, config: (address: string) => string): Promise<Nginx> {
  const dir = await temporaryFolder(cleanup)
  await chmod(dir, 0o755)
  for (const name of ['log', 'cache', 'temp']) await mkdir(join(dir, name))
  const port = await freePort()
  const address = `http://127.0.0.1:${port}`
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(dir, 'temp', kind)};`)
    .join('\n')
  const text = replaceAll(config(address), {
    'pid /run/nginx.pid;': `${process.getuid?.() === 0 ? 'user root;\n' : ''}daemon off;\npid ${dir}/nginx.pid;`,
    '/var/log/nginx/': `${dir}/log/`,
    'http {': `http {\n${temp}`,
    'listen 80;': `listen 127.0.0.1:${port};`,
  }).replaceAll('/var/cache/nginx/', `${dir}/cache/`)
  const file = join(dir, 'nginx.conf')
  await writeFile(file, text)
  const child = spawn('nginx', ['-c', file, '-p', dir, '-e', join(dir, 'log', 'start.log')], {
    stdio: 'inherit',
  })
  cleanup.add(() => stop(child))
  await waitUntilListening(address, child)
  return { address, port, written: async () => (await textsIn(dir)).join('\n') }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

async function waitUntilListening(address: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const reply = await fetch(`${address}/health`).catch(() => undefined)
    await reply?.body?.cancel()
    if (reply !== undefined) return
    await sleep(20)
  }
  throw new Error('nginx did not start')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('there is no port')
  return address.port
}

async function textsIn(dir: string): Promise<string[]> {
  const names = await readdir(dir, { recursive: true })
  const files = await Promise.all(
    names
      .filter((name) => /^(log|cache)\//.test(name))
      .map(async (name) =>
        (await stat(join(dir, name))).isFile() ? readFile(join(dir, name), 'latin1') : '',
      ),
  )
  return files
}
