import { Agent, type buildConnector, request } from 'undici'
import { AddressRefused, type FetchOptions } from '../../net/safe-fetch.ts'
import type { SandboxConnection } from '../../upstreams/transport.ts'

/**
 * Fetches the results of sandbox jobs. It connects to the mock upstreams only, so that the trust in their links
 * never extends to a real upstream's. `sandbox`: absent where the process has no mock upstreams.
 */
export function createSandboxFetch(sandbox: SandboxConnection | undefined) {
  const agent = new Agent({ connect: sandbox?.connect ?? refuseConnection })
  return {
    async fetch(link: string, { method = 'GET', headers = {}, signal }: FetchOptions = {}) {
      const url = sandbox === undefined ? new URL(link) : sandbox.toUrl(link)
      if (url === undefined) throw new AddressRefused('the link of a sandbox job leads out of the sandbox')
      return request(url, { dispatcher: agent, method, headers, ...(signal !== undefined && { signal }) })
    },
    close: () => agent.close(),
  }
}

/** Nothing is sent: a process with mock upstreams can fetch the result later. */
const refuseConnection: buildConnector.connector = (_, done) => {
  const failure = new Error('This process has no mock upstreams')
  done(Object.assign(failure, { code: 'ECONNREFUSED', syscall: 'connect' }), null)
}
