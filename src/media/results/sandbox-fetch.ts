import { Agent, type buildConnector, request } from 'undici'
import { AddressRefused, type FetchOptions } from '../../net/safe-fetch.ts'
import { toSandboxUrl } from '../../sandbox/address.ts'

/**
 * Fetches the results of sandbox jobs. It reaches the mock upstreams and nothing else, so that no link of a real upstream is ever trusted
 * because the sandbox's are.
 */
export function createSandboxFetch(connect: buildConnector.connector) {
  const agent = new Agent({ connect })
  return {
    async fetch(link: string, { method = 'GET', headers = {}, signal }: FetchOptions = {}) {
      const url = toSandboxUrl(link)
      if (url === undefined) throw new AddressRefused('the link of a sandbox job leads out of the sandbox')
      return request(url, { dispatcher: agent, method, headers, ...(signal !== undefined && { signal }) })
    },
    close: () => agent.close(),
  }
}
