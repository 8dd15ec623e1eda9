import type { Logger } from 'pino'
import { providers } from '../providers/index.ts'
import { createApiServer, createHealthServer } from './api-server.ts'
import type { Config } from './config/config.ts'
import type { CloseSteps } from './connect-redis.ts'
import { type Context, createContext } from './context.ts'
import { startWorker } from './worker.ts'

export type Gateway = {
  /** URL of the HTTP server. */
  address: string
  /** State of every upstream. */
  upstreams: readonly { title: string; state: 'live' | 'sandbox' | 'incomplete' | 'no key' }[]
  /** Accepts no new work, waits for steps in progress, then disconnects from Redis. */
  stop(): Promise<void>
}

/** Starts the parts that `config.role` names. If the start fails, everything opened is closed again in reverse order. */
export async function startGateway(config: Config, logger: Logger): Promise<Gateway> {
  const closeSteps: CloseSteps = []
  const stop = async () => {
    for (const close of closeSteps.splice(0).reverse()) {
      try {
        await close()
      } catch (cause) {
        logger.error({ err: cause }, 'A component did not stop cleanly')
      }
    }
  }
  try {
    const context = await createContext(config, logger, closeSteps)
    const stopWorker = config.role === 'api' ? undefined : await startWorker(context)
    closeSteps.push(() => stopWorker?.())
    const server = config.role === 'worker' ? createHealthServer(context) : await createApiServer(context)
    // In parallel: while the server waits for slow clients, workers must not start new steps.
    closeSteps.push(() => Promise.all([server.close(), stopWorker?.()]))
    const address = await server.listen({
      host: config.host,
      port: config.port,
      listenTextResolver: (url) => `Listening on ${url}`,
    })
    context.media.setOwnAddress(address)
    return { address, upstreams: describeUpstreams(context), stop }
  } catch (cause) {
    await stop()
    throw cause
  }
}

function describeUpstreams({ config, upstreams }: Context): Gateway['upstreams'] {
  return Object.values(providers).map((provider) => {
    const { baseUrls, credentials } = upstreams[provider.name]
    const isComplete = Object.entries(provider.hosts).some(
      ([name, host]) =>
        baseUrls[name] !== undefined &&
        host.credentials.every((variable) => credentials[variable] !== undefined),
    )
    const incompleteState = Object.keys(credentials).length > 0 ? 'incomplete' : 'no key'
    return {
      title: provider.title,
      state: config.sandbox ? 'sandbox' : isComplete ? 'live' : incompleteState,
    }
  })
}
