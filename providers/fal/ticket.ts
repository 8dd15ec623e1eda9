import type { Reply, Ticket } from '../provider.ts'
import { text } from '../reader.ts'

/** Only ids starting with these carry three segments before `/requests`. */
const namespaces = ['workflows', 'comfy']

/** Of FAL's addresses; the ID is enough to find a task whose addresses are longer, and a ticket must stay small to be stored. */
const longestPath = 512

/**
 * Where a task that was just made is found: paths below our base URL, so that the key stays with it and a base URL
 * that moves later takes its tasks along. `undefined`: the answer names no task.
 */
export function ticketOf({ body, baseUrl }: Reply): Ticket | undefined {
  const id = text(body, 'request_id')
  if (id === undefined) return undefined
  const urls = [text(body, 'status_url'), text(body, 'response_url'), text(body, 'cancel_url')]
  const [status, response, cancel] = urls.map((url) => pathBelow(baseUrl, url))
  if (status !== undefined && response !== undefined && cancel !== undefined) {
    return { phase: 'status', id, status, response, cancel }
  }
  const known = urls.find((url) => url !== undefined && URL.canParse(url))
  return known === undefined ? undefined : rebuild(new URL(known).pathname.slice(1), id)
}

/** The ticket of a task whose id alone is known. FAL drops all but the app's two segments of an endpoint id. */
export function rebuild(endpoint: string, id: string): Ticket | undefined {
  const segments = endpoint.split('/')
  const app = segments.slice(0, namespaces.includes(segments[0] ?? '') ? 3 : 2)
  if (app.length < 2 || app.includes('requests') || !/^[\w-]+$/.test(id)) return undefined
  const task = `/${app.join('/')}/requests/${id}`
  return { phase: 'status', id, status: `${task}/status`, response: task, cancel: `${task}/cancel` }
}

function pathBelow(baseUrl: string, url: string | undefined): string | undefined {
  const path = url?.startsWith(`${baseUrl}/`) ? url.slice(baseUrl.length) : undefined
  return path !== undefined && path.length <= longestPath ? path : undefined
}
