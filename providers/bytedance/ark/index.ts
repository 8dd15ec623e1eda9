import { resolveEndpoint } from '../../models.ts'
import type { Provider, TaskReference } from '../../provider.ts'
import {
  arkReferenceOf,
  expirySecondsOf,
  parseArkCallback,
  parseArkSearch,
  parseArkSubmission,
  parseArkTask,
} from './replies.ts'

const tasks = '/contents/generations/tasks'

/** The task API of Ark (Volcengine) and ModelArk (BytePlus). */
export const ark = {
  submit(mapping, order) {
    const { endpoint, body } = resolveEndpoint(mapping, order.input)
    return {
      host: 'ark',
      method: 'POST',
      path: tasks,
      json: {
        model: endpoint,
        ...body,
        execution_expires_after: expirySecondsOf(order),
        ...(order.callbackUrl !== undefined && { callback_url: order.callbackUrl }),
      },
    }
  },

  accept: parseArkSubmission,
  poll: (ticket) => ({ host: 'ark', method: 'GET', path: pathOf(ticket) }),
  read: parseArkTask,
  task: { id: (ticket) => String(ticket.task), reference: arkReferenceOf },

  // Stops a task that waits. A running one goes on (409), and a finished one would lose its record.
  cancel: (ticket) => ({ host: 'ark', method: 'DELETE', path: pathOf(ticket) }),

  find: {
    call: () => ({ host: 'ark', method: 'GET', path: `${tasks}?page_num=1&page_size=500` }),
    read: parseArkSearch,
    safeToResend: false,
  },

  adopt: parseArkCallback,
} satisfies Partial<Provider>

function pathOf(ticket: TaskReference): string {
  return `${tasks}/${encodeURIComponent(String(ticket.task))}`
}
