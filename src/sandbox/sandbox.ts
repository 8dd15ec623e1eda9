import { buildConnector } from 'undici'
import type { ProviderName } from '../../providers/provider.ts'
import type { ProviderConfig } from '../config/provider-settings.ts'
import { sandboxOrigin, sandboxUpstreams } from './address.ts'
import { type SandboxHost, type SandboxOptions, startSandbox } from './mock-server.ts'

/**
 * The mock upstreams of this process, behind an address that all processes share. They start with the first call, so that a process with
 * real upstreams can finish the sandbox jobs that it finds.
 */
export function createSandbox(options: Omit<SandboxOptions, 'origin'>) {
  let starting: Promise<SandboxHost> | undefined
  const connectTo = buildConnector({ timeout: 10_000 })

  function start(): Promise<SandboxHost> {
    starting ??= startSandbox({ ...options, origin: sandboxOrigin }).catch((cause: unknown) => {
      starting = undefined
      throw cause
    })
    return starting
  }

  /** Connects whoever calls `sandboxOrigin` to the mock upstreams of this process. */
  const connect: buildConnector.connector = (target, done) => {
    start().then(
      ({ address }) => {
        const { hostname, port } = new URL(address)
        connectTo({ ...target, protocol: 'http:', hostname, host: `${hostname}:${port}`, port }, done)
      },
      (cause: unknown) => {
        const failure = new Error('The mock upstreams cannot start', { cause })
        // No call has left: the transport reads it so.
        done(Object.assign(failure, { code: 'ECONNREFUSED', syscall: 'connect' }), null)
      },
    )
  }

  return {
    upstreams: markedAsSandbox(sandboxUpstreams(sandboxOrigin, options.providers, options.upstreams)),
    connect,
    async start(): Promise<void> {
      await start()
    },
    async close(): Promise<void> {
      await (await starting?.catch(() => undefined))?.close()
    },
  }
}

function markedAsSandbox(
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>,
): Record<ProviderName, ProviderConfig> {
  const marked = Object.entries(upstreams).map(([name, config]) => [name, { ...config, sandbox: true }])
  return Object.fromEntries(marked) as Record<ProviderName, ProviderConfig>
}
