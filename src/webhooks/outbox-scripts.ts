const isTerminalFunction = `
local function isTerminal(state)
  return state == 'succeeded' or state == 'failed' or state == 'canceled'
end
`

/**
 * Writes an attempt down; the same command received twice writes one line.
 * KEYS log, webhooks, job, deleted job, events. ARGV job ID, ID of the line, line, most lines, keep ms, when the next attempt is due or '' (none),
 * version of the job whose end was to be delivered or ''. The record has no expiry while its webhook is pending; the last attempt sets it.
 */
export const logAttemptScript = `${isTerminalFunction}
local log, webhooks, job, deleted, events = unpack(KEYS)
local id, lineId, line, most, keepMs, due, version = unpack(ARGV)
for _, known in ipairs(redis.call('LRANGE', log, 0, -1)) do
  if string.find(known, lineId, 1, true) then return 0 end
end
redis.call('RPUSH', log, line)
redis.call('LTRIM', log, -most, -1)
redis.call('PEXPIRE', log, keepMs)
local state, current = unpack(redis.call('HMGET', job, 'state', 'version'))
-- An operator has resumed the job meanwhile: its next end is another webhook.
if version ~= '' and current and current ~= version then return 1 end
if due ~= '' then
  redis.call('ZADD', webhooks, due, id)
  if isTerminal(state) then
    redis.call('PERSIST', job)
    redis.call('PERSIST', events)
  end
  return 1
end
redis.call('ZREM', webhooks, id)
redis.call('DEL', deleted)
if isTerminal(state) and redis.call('PTTL', job) == -1 then
  redis.call('PEXPIRE', job, keepMs)
  redis.call('PEXPIRE', events, keepMs)
end
return 1
`

/** KEYS webhooks, job, deleted job. ARGV job ID. Drops the webhook of a job that has none, or has not ended. */
export const removeWebhookScript = `${isTerminalFunction}
local state, webhook = unpack(redis.call('HMGET', KEYS[2], 'state', 'webhook'))
if isTerminal(state) and webhook then return 0 end
redis.call('DEL', KEYS[3])
return redis.call('ZREM', KEYS[1], ARGV[1])
`
