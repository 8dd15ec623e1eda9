import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** Servers under test have the first core for themselves; load, Redis and the stub share the second. */
export const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0

export type Core = 'server' | 'load'

export type Child = {
  pid: number
  /** All that it has written so far. */
  output(): string
  /** Waits for a line; rejects when it ends before, or says nothing in time. */
  waitForOutput(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>
  ended: Promise<number | null>
  stop(signal?: NodeJS.Signals): Promise<void>
}

type Options = { core: Core; env?: Record<string, string>; cwd?: string }

const runningChildren = new Set<ChildProcess>()

export function start(command: string, args: readonly string[], { core, env = {}, cwd }: Options): Child {
  const pinCommand = canPin ? ['taskset', '-c', core === 'server' ? '0' : '1'] : []
  const [program = command, ...rest] = [...pinCommand, command, ...args]
  const child = spawn(program, rest, {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
  })
  runningChildren.add(child)
  let output = ''
  const appendOutput = (chunk: Buffer) => {
    output += chunk.toString()
  }
  child.stdout.on('data', appendOutput)
  child.stderr.on('data', appendOutput)
  child.on('error', (cause) => appendOutput(Buffer.from(cause.message)))
  const ended = once(child, 'close').then(
    () => child.exitCode,
    () => null,
  )
  void ended.then(() => runningChildren.delete(child))
  return {
    pid: child.pid ?? 0,
    output: () => output,
    async waitForOutput(pattern, withinMs = 60_000) {
      const deadline = Date.now() + withinMs
      for (;;) {
        const match = pattern.exec(output)
        if (match !== null) return match
        if (!runningChildren.has(child) || Date.now() > deadline) {
          throw new Error(`${command} did not say ${pattern}: ${output.slice(-800)}`)
        }
        await sleep(5)
      }
    },
    ended,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      const killTimer = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await ended
      clearTimeout(killTimer)
    },
  }
}

/** However the run ends, nothing of it stays behind. */
export async function stopAll(): Promise<void> {
  for (const child of runningChildren) child.kill('SIGKILL')
  while (runningChildren.size > 0) await sleep(10)
}

export function pinThisProcess(): void {
  if (canPin) spawnSync('taskset', ['-acp', '1', String(process.pid)])
}

/** CPU time in ms and memory in MB, now and at its highest. */
export function usage(pid: number): { cpuMs: number; rssMb: number; peakMb: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ')
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const megabytes = (name: string) => Number(new RegExp(`${name}:\\s*(\\d+)`).exec(status)?.[1] ?? 0) / 1024
  return {
    cpuMs: (Number(stat[11]) + Number(stat[12])) * 10,
    rssMb: megabytes('VmRSS'),
    peakMb: megabytes('VmHWM'),
  }
}

/** From now on the highest is counted anew. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
