import { movementFunctions, reserveFunctions, settleFunctions } from '../../accounts/money-scripts.ts'
import { enqueueLua } from '../../redis/enqueue.ts'

/**
 * The atomic writes. A record is one hash:
 * `owner`, `view`, `input`, `work` (JSON), `state`, `version`, `fence`, `attempt`, `hint`, `cancel`, `wake`, `called`, `asked`, `written`, `reserved`, `paid`,
 * `sandbox`, `webhook`, `address`.
 */

/** How long the first answer to an idempotency key is given again. */
const idempotencyMs = 86_400_000

/** Of each order that `accept` is given; its arguments come after the four that count for all. */
export const keysPerJob = 8
const argumentsPerJob = 17

/**
 * Many orders at once. ARGV keep ms, oldest movement, books' keep ms, until when they may be accepted (unix ms). KEYS of each: job, open, owner index, events, account, ledger, usage,
 * once. ARGV of each: id, now, open score, owner, view, input, work, event, hint, price, model, fingerprint or '' (no idempotency key), warnings,
 * webhook or '' (the account's, if it has one), own address, prefix of its queue's keys, '1' for a sandbox job or ''.
 * Answers of each 'accepted' and what is left, 'replayed' and the first answer, 'reused', why the account must not, or 'error' and
 * the words of Redis: what goes wrong with one order is nobody else's affair.
 */
export const createJobsScript = `${movementFunctions}${reserveFunctions}${enqueueLua}
local keepMs, oldest, booksKeptMs = ARGV[1], ARGV[2], ARGV[3]
-- The owner indexes that this call has cleared of what is too old: one time serves all its orders.
local pruned = {}
local function accept(n)
  local job, open, owned, events, account, ledger, usage, once = unpack(KEYS, n * ${keysPerJob} + 1, (n + 1) * ${keysPerJob})
  local id, now, score, owner, view, input, work, event, hint, price, model, fingerprint, warnings, webhook, address, queue, sandbox =
    unpack(ARGV, n * ${argumentsPerJob} + 5, (n + 1) * ${argumentsPerJob} + 4)
  sandbox = sandbox == '1'
  if fingerprint ~= '' then
    local first = redis.call('HMGET', once, 'fingerprint', 'left', 'view', 'warnings')
    if first[1] then
      return first[1] == fingerprint and { 'replayed', first[2], first[3], first[4] } or { 'reused' }
    end
  end
  -- The same command came before, and its reply was lost.
  if redis.call('EXISTS', job) == 1 then return { 'accepted', redis.call('HGET', account, 'balance') or '' } end
  local amount = tonumber(price)
  local balance, daily, revoked, usual = unpack(redis.call('HMGET', account, 'balance', 'daily', 'revokedAt', 'webhook'))
  local refused = refusal(usage, amount, balance, daily, revoked)
  if refused then return refused end
  if webhook == '' then webhook = usual end
  redis.call('HSET', job, 'owner', owner, 'view', view, 'input', input, 'work', work, 'state', 'pending', 'version', '1',
    'fence', '0', 'hint', hint, 'reserved', price, 'paid', balance and price or '0')
  if sandbox then redis.call('HSET', job, 'sandbox', '1') end
  if webhook then redis.call('HSET', job, 'webhook', webhook, 'address', address) end
  enqueue(queue, id, now)
  redis.call('ZADD', open, score, id)
  redis.call('ZADD', owned, now, id)
  if not pruned[owned] then
    redis.call('ZREMRANGEBYSCORE', owned, '-inf', now - keepMs)
    redis.call('PEXPIRE', owned, keepMs)
    pruned[owned] = true
  end
  redis.call('RPUSH', events, event)
  local left = reserve(account, ledger, usage, oldest, booksKeptMs, id, model, amount, balance and amount or 0, balance, sandbox)
  if fingerprint ~= '' then
    redis.call('HSET', once, 'fingerprint', fingerprint, 'left', left, 'view', view, 'warnings', warnings)
    redis.call('PEXPIRE', once, ${idempotencyMs})
  end
  return { 'accepted', left }
end
local answers = {}
-- Whoever asked has given up by now, and told its clients so.
local time = redis.call('TIME')
if time[1] * 1000 + math.floor(time[2] / 1000) > tonumber(ARGV[4]) then
  for n = 1, #KEYS / ${keysPerJob} do answers[n] = { 'error', 'TIMEOUT the order came too late' } end
  return answers
end
for n = 0, #KEYS / ${keysPerJob} - 1 do
  local done, answer = pcall(accept, n)
  answers[n + 1] = done and answer or { 'error', type(answer) == 'table' and answer.err or tostring(answer) }
end
return answers
`

/**
 * `called` says when the last step that somebody asked for was taken, or is to be (`asked`: it has not been taken yet): `<kind> <unix ms>`. A job that
 * goes on to another kind of step does not wait for the interval of the one before.
 */
const lastCallLua = `
local function kindOf(state)
  if state == 'pending' or state == 'submitting' or state == 'delivering' then return state end
  return 'running'
end
local function lastCall(job, state)
  local kind, at = string.match(redis.call('HGET', job, 'called') or '', '^(%a+) (%d+)$')
  return kind == kindOf(state) and tonumber(at) or nil
end
`

/**
 * KEYS job, open. ARGV id, open score, now, poll interval ms. Takes the step: raises the fence and returns the record; nil: no record; 0: it has
 * ended; 1: it was asked for before the poll interval had passed. A `wake` from here on is for the step after this one.
 */
export const claimStepScript = `${lastCallLua}
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return nil end
if state == 'succeeded' or state == 'failed' or state == 'canceled' then return 0 end
local now, intervalMs = tonumber(ARGV[3]), tonumber(ARGV[4])
local at = lastCall(KEYS[1], state)
if at and at > now and at - now <= intervalMs then
  redis.call('HDEL', KEYS[1], 'wake')
  return 1
end
local fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
if redis.call('HDEL', KEYS[1], 'wake', 'asked') > 0 and at then
  redis.call('HSET', KEYS[1], 'called', kindOf(state) .. ' ' .. ARGV[3])
end
local fields = redis.call('HMGET', KEYS[1], 'owner', 'view', 'input', 'work', 'version', 'cancel', 'hint', 'webhook', 'address')
return { state, fence, unpack(fields) }
`

/**
 * KEYS job, open, events, account, ledger, usage, held. ARGV id, guard ('fence' | 'attempt' | 'takeover'), guard value, state, view, work, attempt,
 * event or '', open score or '' (the end), keep ms, channel, 'charge' | 'release' | 'hold' | '', price, model, oldest movement, books' keep ms,
 * webhooks, webhook score, prefix of the queue's keys that the next step goes into or '', now, write id.
 * `fence`: nobody has taken a later step. `attempt`: the reply to the attempt counts, whoever holds the latest step. `takeover`: the same as
 * `fence`, and whoever holds that step writes nothing any more.
 * Answers the version, or 0 when the guard does not hold. Executed twice with one write id, as after a lost reply, it writes once.
 */
export const transitionScript = `${movementFunctions}${settleFunctions}${enqueueLua}
local state, fence, attempt, written, version = unpack(redis.call('HMGET', KEYS[1], 'state', 'fence', 'attempt', 'written', 'version'))
if not state then return 0 end
if written == ARGV[21] then return tonumber(version) end
if state == 'succeeded' or state == 'failed' or state == 'canceled' then return 0 end
if ARGV[2] == 'attempt' then
  -- The upstream has the task, and the job is still to be purchased: the Redis that took over has never seen the intent.
  local forgotten = state == 'pending' and ARGV[4] ~= 'pending' and ARGV[9] ~= ''
  if not forgotten and not (attempt == ARGV[3] and state == 'submitting') then return 0 end
elseif fence ~= ARGV[3] then
  return 0
end
-- Whoever still holds a step from before must not write over it.
if ARGV[2] ~= 'fence' then redis.call('HINCRBY', KEYS[1], 'fence', 1) end
redis.call('HSET', KEYS[1], 'state', ARGV[4], 'view', ARGV[5], 'work', ARGV[6], 'attempt', ARGV[7], 'written', ARGV[21])
if ARGV[9] == '' then
  redis.call('ZREM', KEYS[2], ARGV[1])
  settle(KEYS[4], KEYS[5], KEYS[6], KEYS[7], ARGV[15], ARGV[16], KEYS[1], ARGV[1], ARGV[14], ARGV[4], ARGV[12], tonumber(ARGV[13]))
  if redis.call('HEXISTS', KEYS[1], 'webhook') == 1 then
    -- The record has no expiry while its webhook is pending; the outbox sets it afterwards.
    redis.call('ZADD', ARGV[17], ARGV[18], ARGV[1])
  else
    redis.call('PEXPIRE', KEYS[1], ARGV[10])
    redis.call('PEXPIRE', KEYS[3], ARGV[10])
  end
else
  redis.call('ZADD', KEYS[2], ARGV[9], ARGV[1])
end
if ARGV[19] ~= '' and redis.call('EXISTS', ARGV[19] .. ARGV[1]) == 0 then enqueue(ARGV[19], ARGV[1], ARGV[20]) end
if ARGV[8] == '' then return tonumber(version) end
version = redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('RPUSH', KEYS[3], ARGV[8])
redis.call('PUBLISH', ARGV[11], version .. ' ' .. ARGV[5])
return version
`

/**
 * KEYS job. ARGV 'client' | 'withdrawn' (asks for the end) | '' (a callback), now, poll interval ms. Asks for the next step at once, though one may be
 * under way; within the poll interval of the last such call, for one step when it has passed. The first request for the end waits for nothing. Returns 0
 * when there is no such job, 1 when it has ended, 2 when its queue entry is to be brought forward, 3 when the step comes by itself.
 */
export const requestStepScript = `${lastCallLua}
local job, by, now, intervalMs = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local state, cancel, asked = unpack(redis.call('HMGET', job, 'state', 'cancel', 'asked'))
if not state then return 0 end
if state == 'succeeded' or state == 'failed' or state == 'canceled' then return 1 end
if by ~= '' and cancel ~= by then redis.call('HSET', job, 'cancel', by) end
local at = lastCall(job, state)
if at and at - now > intervalMs or by ~= '' and not cancel then at = nil end
-- A step that is not taken in time has been lost, or the one before it takes long.
if at and asked and now < at + intervalMs then return 3 end
local nextAt = (at and not asked and now < at + intervalMs) and at + intervalMs or now
redis.call('HSET', job, 'called', kindOf(state) .. ' ' .. string.format('%.0f', nextAt), 'wake', '1', 'asked', '1')
return 2
`

/**
 * KEYS job, events, notes, webhooks, deleted job. ARGV id. Deletes a job that has ended, with its history; what a pending webhook still needs is kept
 * until the webhook is delivered or given up. Answers 0 when there is none that has ended.
 */
export const removeJobScript = `
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'succeeded' and state ~= 'failed' and state ~= 'canceled' then return 0 end
if redis.call('ZSCORE', KEYS[4], ARGV[1]) then
  for _, name in ipairs({ 'owner', 'view', 'version', 'webhook', 'address' }) do
    local value = redis.call('HGET', KEYS[1], name)
    if value then redis.call('HSET', KEYS[5], name, value) end
  end
end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
return 1
`

/** KEYS owner index. ARGV 'oldest' | 'newest' first, id or '', count. The ids behind that one; nil: it is not in the index. */
export const listOwnedIdsScript = `
local first = 0
if ARGV[2] ~= '' then
  local rank = redis.call(ARGV[1] == 'oldest' and 'ZRANK' or 'ZREVRANK', KEYS[1], ARGV[2])
  if not rank then return nil end
  first = rank + 1
end
return redis.call(ARGV[1] == 'oldest' and 'ZRANGE' or 'ZREVRANGE', KEYS[1], first, first + ARGV[3] - 1)
`

/** KEYS job, notes. ARGV field, note, keep ms. Adds a note to the history of a job that has ended, once for each field; its state and version stay. */
export const addNoteScript = `
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'succeeded' and state ~= 'failed' and state ~= 'canceled' then return 0 end
local added = redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return added
`
