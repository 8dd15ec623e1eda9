import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** `written`: everything that it has written, line by line. */
export type GatewayProcess = { child: ChildProcess; written: string[]; address: string }

type Env = Readonly<Record<string, string>>

/** A Node process of the project in this environment alone; it starts as quickly as those before it. */
export function environment(env: Env): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  return { PATH, ...(NODE_COMPILE_CACHE !== undefined && { NODE_COMPILE_CACHE }), ...env }
}

/** Runs the gateway's process, and waits for nothing. */
export function spawnGateway(env: Env) {
  const child = spawn(process.execPath, ['src/main.ts'], {
    env: environment({ PORT: '0', LOG_LEVEL: 'fatal', ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const written: string[] = []
  const output = createInterface({ input: child.stdout }).on('line', (line) => written.push(line))
  createInterface({ input: child.stderr }).on('line', (line) => written.push(line))
  return { child, written, output }
}

/** The gateway, started like a user does. */
export async function startProcess(env: Env): Promise<GatewayProcess> {
  const { child, written, output } = spawnGateway(env)
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  output.on('line', (line) => {
    const address = /^Listening on (\S+)/.exec(line)?.[1]
    if (address !== undefined) resolve(address)
  })
  child.once('exit', () => reject(new Error(`the gateway did not start: ${written.join('\n')}`)))
  return { child, written, address: await promise }
}

export async function stopProcess(
  { child }: Pick<GatewayProcess, 'child'>,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}

const megabyte = 1024 * 1024

/** Megabytes of memory that a process holds. */
export function memoryOf({ child }: GatewayProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Math.round((Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024) / megabyte)
}
