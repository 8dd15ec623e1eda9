import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A gateway in a process of its own, and everything that it writes. */
export async function startProcess(env: Record<string, string>) {
  const child = spawn(process.execPath, ['src/main.ts'], {
    env: { PATH: process.env.PATH, PORT: '0', LOG_LEVEL: 'fatal', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const written: string[] = []
  child.stderr.on('data', (piece: Buffer) => written.push(piece.toString()))
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    written.push(line)
    const address = /^Reelgate answers on (\S+)/.exec(line)?.[1]
    if (address !== undefined) resolve(address)
  })
  child.once('exit', () => reject(new Error(`the gateway did not start: ${written.join('\n')}`)))
  return { child, written, address: await promise }
}

export async function endProcess(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}
