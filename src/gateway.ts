import type { Logger } from 'pino'
import { providers } from '../providers/index.ts'
import { createApiServer, createHealthServer } from './api-server.ts'
import type { Config } from './config.ts'
import { type Closers, type Ground, layGround } from './ground.ts'
import { startWork } from './work.ts'

export type Gateway = {
  /** Where it listens. */
  address: string
  /** Which upstreams are real, which stand-ins. */
  upstreams: readonly { title: string; state: 'live' | 'sandbox' | 'incomplete' | 'no key' }[]
  /** Takes nothing new, lets every step finish, then lets go of Redis. */
  stop(): Promise<void>
}

/** Starts what `config.role` says. Whatever it opened is closed again in the reverse order. */
export async function startGateway(config: Config, logger: Logger): Promise<Gateway> {
  const closers: Closers = []
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) {
      try {
        await close()
      } catch (cause) {
        logger.error({ err: cause }, 'while stopping')
      }
    }
  }
  try {
    const ground = await layGround(config, logger, closers)
    const stopWork = config.role === 'api' ? undefined : await startWork(ground)
    closers.push(() => stopWork?.())
    const app = config.role === 'worker' ? createHealthServer(ground) : await createApiServer(ground)
    // Side by side: a client that dawdles over its request keeps no worker taking steps.
    closers.push(() => Promise.all([app.close(), stopWork?.()]))
    const address = await app.listen({ host: config.host, port: config.port })
    ground.media.setOwnAddress(address)
    return { address, upstreams: describe(ground), stop }
  } catch (cause) {
    await stop()
    throw cause
  }
}

function describe({ config, upstreams }: Ground): Gateway['upstreams'] {
  return Object.values(providers).map((provider) => {
    const { baseUrls, credentials } = upstreams[provider.name]
    const isComplete = Object.entries(provider.hosts).some(
      ([name, host]) =>
        baseUrls[name] !== undefined &&
        host.credentials.every((variable) => credentials[variable] !== undefined),
    )
    const missing = Object.keys(credentials).length > 0 ? 'incomplete' : 'no key'
    return { title: provider.title, state: config.sandbox ? 'sandbox' : isComplete ? 'live' : missing }
  })
}
