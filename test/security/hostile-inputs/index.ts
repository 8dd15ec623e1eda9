import { admin, secrets } from './account-routes.ts'
import { ids, slow, values } from './field-values.ts'
import { forms } from './forms.ts'
import { headers, http, paths } from './http.ts'
import type { HostileInput } from './input.ts'
import { characters, json, types } from './json-bodies.ts'
import { links, webhooks } from './links.ts'
import { libraries, media } from './media.ts'
import { openai } from './openai.ts'
import { validMedia } from './valid-media.ts'
import { validRequests } from './valid-requests.ts'
import { validValues } from './valid-values.ts'

/** Requests that the gateway must refuse, by class of input. */
export const hostileInputs: Readonly<Record<string, readonly HostileInput[]>> = {
  json,
  types,
  characters,
  values,
  links,
  media,
  forms,
  ids,
  webhooks,
  libraries,
  secrets,
  admin,
  openai,
  headers,
  slow,
  paths,
  http,
}

/** Requests that look hostile and are valid. */
export const validInputs: Readonly<Record<string, readonly HostileInput[]>> = {
  ...validValues,
  ...validMedia,
  ...validRequests,
}
