import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { readConfig } from '../../src/config/config.ts'
import { defaultRequestLimits } from '../../src/config/request-limits.ts'

const units: Readonly<Record<string, number>> = { kB: 1024, MB: 1024 * 1024, s: 1000 }

/** Setting -> its default, in bytes and milliseconds. */
function defaultsIn(text: string): Record<string, number> {
  const rows = [...text.matchAll(/^\|.*\| `([A-Z_]+)` \| (\d+) ?(kB|MB|s)?\b.*\|/gm)]
  return Object.fromEntries(
    rows.map(([, name, value, unit]) => [name, Number(value) * (units[unit ?? ''] ?? 1)]),
  )
}

it('docs/limits.md lists every request limit with its default', () => {
  const { requestLimits, bodyLimitBytes, textLimits, requests, failedAttempts } = readConfig({}, [])
  assert.deepEqual(requestLimits, defaultRequestLimits)
  const { json, form, allBodies } = requestLimits
  assert.deepEqual(defaultsIn(readFileSync('docs/limits.md', 'utf8')), {
    UNAUTHENTICATED_BODY_LIMIT_KB: requestLimits.unauthenticatedBytes,
    BODY_LIMIT_MB: bodyLimitBytes,
    JSON_LIMIT_KB: json.bytes,
    JSON_MAX_VALUES: json.values,
    JSON_MAX_DEPTH: json.depth,
    JSON_MAX_FILES: json.files,
    FORM_MAX_FIELDS: form.fields,
    FORM_MAX_FILES: form.files,
    MAX_BODY_MEMORY_MB: allBodies.memoryBytes,
    MAX_BODY_MB_IN_FLIGHT: allBodies.totalBytes,
    MAX_CONNECTIONS: requestLimits.connections,
    CONNECTION_STALL_SECONDS: requestLimits.stallMs,
    BODY_MIN_BYTES_PER_SECOND: requestLimits.bytesPerSecond,
    LINK_MAX_BYTES: textLimits.linkMaxBytes,
    ID_MAX_CHARACTERS: textLimits.idMaxCharacters,
    LIST_MAX_ITEMS: textLimits.listMaxItems,
    PROMPT_MAX_CHARACTERS: requests.promptMaxCharacters,
    RECORD_MAX_KB: textLimits.recordMaxBytes,
    FAILED_ADMIN_KEY_RPM: failedAttempts.admin,
    FAILED_API_KEY_RPM: failedAttempts.key,
    FAILED_CALLBACK_RPM: failedAttempts.callback,
  })
})

it('.env.example sets the request limits to their defaults', () => {
  const text = readFileSync('.env.example', 'utf8')
  const env = Object.fromEntries(
    [...text.matchAll(/^([A-Z_]+)=(.+)$/gm)].map(([, name, value]) => [name, value]),
  )
  const { requestLimits, bodyLimitBytes } = readConfig(env, [])
  assert.deepEqual(requestLimits, defaultRequestLimits)
  assert.equal(bodyLimitBytes, 32 * 1024 * 1024)
})
