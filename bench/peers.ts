import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const home = join(import.meta.dirname, '.peers')

/** Where a peer's program lies, or why it could not be had. */
export type Peer = { program: string } | { missing: string }

const gateway = {
  private: true,
  dependencies: { '@portkey-ai/gateway': '1.15.2' },
  overrides: { '@hono/node-server': '1.13.5', hono: '4.9.7' },
}

export const litellmVersion = '1.106.2'

export function portkey(): Peer {
  const folder = join(home, 'portkey')
  const program = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js')
  return installed(program, () => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify(gateway))
    run('npm', ['install', '--ignore-scripts'], folder)
  })
}

export function litellm(): Peer {
  const folder = join(home, 'litellm')
  return installed(join(folder, 'bin/litellm'), () => {
    mkdirSync(home, { recursive: true })
    run('python3', ['-m', 'venv', folder], home)
    run(join(folder, 'bin/pip'), ['install', '--quiet', `litellm[proxy]==${litellmVersion}`], home)
  })
}

/** From PATH, else unpacked from Debian's package without installing it. */
export function nginx(): Peer {
  const found = spawnSync('sh', ['-c', 'command -v nginx'], { encoding: 'utf8' }).stdout.trim()
  if (found !== '') return { program: found }
  const folder = join(home, 'nginx')
  return installed(join(folder, 'usr/sbin/nginx'), () => {
    mkdirSync(folder, { recursive: true })
    run('apt-get', ['download', 'nginx'], folder)
    const archive = readdirSync(folder).find((name) => name.endsWith('.deb')) ?? 'nginx.deb'
    run('dpkg', ['-x', archive, '.'], folder)
  })
}

function installed(program: string, install: () => void): Peer {
  try {
    if (!existsSync(program)) install()
    return existsSync(program) ? { program } : { missing: `${program} is not there after its installation` }
  } catch (cause) {
    return { missing: cause instanceof Error ? cause.message : String(cause) }
  }
}

function run(command: string, args: string[], cwd: string): void {
  process.stderr.write(`bench: ${command} ${args.join(' ')}\n`)
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 300_000 })
  if (done.status === 0) return
  const words = done.error?.message ?? `${done.stderr}${done.stdout}`.trim().split('\n').slice(-2).join(' ')
  throw new Error(`${command} ${args[0]}: ${words}`)
}
