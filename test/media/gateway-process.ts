import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

export type GatewayProcess = { child: ChildProcess; address: string }

/** The gateway as its users start it. */
export async function startProcess(env: Record<string, string>): Promise<GatewayProcess> {
  const child = spawn(process.execPath, ['src/main.ts'], {
    env: { PATH: process.env.PATH, PORT: '0', LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /answers on (\S+)/.exec(line)?.[1]
    if (address !== undefined) return { child, address }
  }
  throw new Error('the gateway did not start')
}

export async function stopProcess({ child }: GatewayProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

const megabyte = 1024 * 1024

/** Megabytes of memory that a process holds: now, or the most since `forgetPeak`. */
export function memoryOf({ child }: GatewayProcess, what: 'now' | 'peak'): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  const kilobytes = Number((what === 'now' ? /VmRSS:\s+(\d+)/ : /VmHWM:\s+(\d+)/).exec(status)?.[1])
  return Math.round((kilobytes * 1024) / megabyte)
}
