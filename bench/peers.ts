import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const peersFolder = join(import.meta.dirname, '.peers')

/** Where a peer's program lies, or why it could not be had. */
export type Peer = { program: string } | { missing: string }

const portkeyPackage = {
  private: true,
  dependencies: { '@portkey-ai/gateway': '1.15.2' },
  overrides: { '@hono/node-server': '1.13.5', hono: '4.9.7' },
}

export const litellmVersion = '1.106.2'

export function installPortkey(): Peer {
  const folder = join(peersFolder, 'portkey')
  const program = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js')
  return ensureInstalled(program, () => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify(portkeyPackage))
    runCommand('npm', ['install', '--ignore-scripts'], folder)
  })
}

export function installLitellm(): Peer {
  const folder = join(peersFolder, 'litellm')
  return ensureInstalled(join(folder, 'bin/litellm'), () => {
    mkdirSync(peersFolder, { recursive: true })
    runCommand('python3', ['-m', 'venv', folder], peersFolder)
    runCommand(
      join(folder, 'bin/pip'),
      ['install', '--quiet', `litellm[proxy]==${litellmVersion}`],
      peersFolder,
    )
  })
}

/** From PATH, else unpacked from Debian's package without installing it. */
export function installNginx(): Peer {
  const pathProgram = spawnSync('sh', ['-c', 'command -v nginx'], { encoding: 'utf8' }).stdout.trim()
  if (pathProgram !== '') return { program: pathProgram }
  const folder = join(peersFolder, 'nginx')
  return ensureInstalled(join(folder, 'usr/sbin/nginx'), () => {
    mkdirSync(folder, { recursive: true })
    runCommand('apt-get', ['download', 'nginx'], folder)
    const archive = readdirSync(folder).find((name) => name.endsWith('.deb')) ?? 'nginx.deb'
    runCommand('dpkg', ['-x', archive, '.'], folder)
  })
}

function ensureInstalled(program: string, install: () => void): Peer {
  try {
    if (!existsSync(program)) install()
    return existsSync(program) ? { program } : { missing: `${program} is not there after its installation` }
  } catch (cause) {
    return { missing: cause instanceof Error ? cause.message : String(cause) }
  }
}

function runCommand(command: string, args: string[], cwd: string): void {
  process.stderr.write(`bench: ${command} ${args.join(' ')}\n`)
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 300_000 })
  if (result.status === 0) return
  const reason =
    result.error?.message ?? `${result.stderr}${result.stdout}`.trim().split('\n').slice(-2).join(' ')
  throw new Error(`${command} ${args[0]}: ${reason}`)
}
