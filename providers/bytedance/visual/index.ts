import { resolveEndpoint } from '../../models.ts'
import type { Order, Provider, TaskReference } from '../../provider.ts'
import { parseVisualSubmission, parseVisualTask } from './replies.ts'

/** The two clouds that run the Visual API; each has its own keys. */
export const visualPlatforms = {
  byteplus: { version: '2024-06-06', reqKey: 'realman_avatar_picture_omni15_cv' },
  volcengine: { version: '2022-08-31', reqKey: 'jimeng_realman_avatar_picture_omni_v15' },
} as const

type Platform = keyof typeof visualPlatforms

export const visualSettings = {
  VOLC_PLATFORM: {
    default: 'byteplus',
    description: 'The cloud whose Visual API the keys are for; with `volcengine`, set VOLC_BASE_URL too',
    choices: Object.keys(visualPlatforms),
  },
  VOLC_REQ_KEY: {
    default: '',
    description: 'Replaces the default `req_key` of OmniHuman',
  },
} satisfies Provider['settings']

/** The signed Visual API: every call is a POST to one path, with its action in the query. */
export const visual = {
  submit(mapping, order) {
    const { endpoint, body } = resolveEndpoint(mapping, order.input)
    const { platform, reqKey } = platformOf(order)
    return callOf(endpoint, platform, { req_key: reqKey, ...body })
  },

  accept: (reply, order) => parseVisualSubmission(reply, (task) => referenceOf(task, order)),
  poll: (ticket) => callOf('CVGetResult', ticket.platform, taskOf(ticket)),
  read: parseVisualTask,
  task: { id: (ticket) => String(ticket.task), reference: referenceOf },

  // Volcengine cannot cancel a task: its state is polled instead, which changes nothing.
  cancel: (ticket) =>
    callOf(
      ticket.platform === 'volcengine' ? 'CVGetResult' : 'CVCancelTask',
      ticket.platform,
      taskOf(ticket),
    ),
} satisfies Partial<Provider>

function platformOf({ settings }: Order): { platform: Platform; reqKey: string } {
  const platform = settings.VOLC_PLATFORM === 'volcengine' ? 'volcengine' : 'byteplus'
  return { platform, reqKey: settings.VOLC_REQ_KEY || visualPlatforms[platform].reqKey }
}

function referenceOf(task: string, order: Order): TaskReference {
  return { host: 'visual', task, ...platformOf(order) }
}

function taskOf(ticket: TaskReference) {
  return { req_key: String(ticket.reqKey), task_id: String(ticket.task) }
}

function callOf(
  action: string,
  platform: TaskReference[string] | undefined,
  json: Readonly<Record<string, string | number>>,
) {
  const { version } = visualPlatforms[platform === 'volcengine' ? 'volcengine' : 'byteplus']
  const path = `/?Action=${encodeURIComponent(action)}&Version=${version}`
  return { host: 'visual', method: 'POST' as const, path, json }
}
