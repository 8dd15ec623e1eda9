import { movementFunctions } from './money-scripts.ts'

/**
 * The atomic writes of an account: its limits and its balance. Each has an operation ID, so that a command that Redis receives twice is
 * applied once: ioredis sends a command again when its reply is lost, and clients retry with the same `Idempotency-Key`. An operation is a
 * hash: `fingerprint` (what was asked for) and `result`.
 */

/** How long operation IDs are remembered: as long as the idempotency keys of submits, and far longer than ioredis resends a command. */
export const operationRetentionMs = 86_400_000

/** `known` returns the reply to an operation that was applied before, or nil. */
const operationFunctions = `
local function known(operation, fingerprint)
  local first, result = unpack(redis.call('HMGET', operation, 'fingerprint', 'result'))
  if not first then return nil end
  return first == fingerprint and { 'replayed', result } or { 'reused' }
end
local function remember(operation, fingerprint, result)
  redis.call('HSET', operation, 'fingerprint', fingerprint, 'result', result)
  redis.call('PEXPIRE', operation, ${operationRetentionMs})
end
local function setLimit(account, field, value)
  if value == 'none' then redis.call('HDEL', account, field)
  elseif value ~= '' then redis.call('HSET', account, field, value) end
end
local function setBalance(account, ledger, oldest, target, more)
  local before = tonumber(redis.call('HGET', account, 'balance') or '0')
  if target == 'none' then
    move(account, ledger, oldest, 'lift', '', { balance = -before }, more)
    redis.call('HDEL', account, 'balance')
  elseif target ~= '' then
    redis.call('HSETNX', account, 'balance', '0')
    move(account, ledger, oldest, 'set', '', { balance = tonumber(target) - before }, more)
  end
end
`

/**
 * Changes limits and balance, all of it or nothing.
 * KEYS account, ledger, operation. ARGV operation ID, fingerprint, oldest movement, channel of changes, account ID, rpm, daily limit, balance
 * (each '' unchanged, 'none' removes it, or the value), top-up in micro-dollars or '', note.
 * Returns 'done' or 'replayed' and the account as JSON (a list of names and values in turn), 'reused', 'absent', or 'negative' and the balance
 * that the top-up would take below zero.
 */
export const changeAccountScript = `${movementFunctions}${operationFunctions}
local account, ledger, operation = KEYS[1], KEYS[2], KEYS[3]
local id, fingerprint, oldest, channel, accountId, rpm, daily, balance, topUp, note = unpack(ARGV)
local first = known(operation, fingerprint)
if first then return first end
if redis.call('HEXISTS', account, 'createdAt') == 0 then return { 'absent' } end
local after = redis.call('HGET', account, 'balance') or ''
if balance ~= '' then after = balance == 'none' and '' or balance end
if topUp ~= '' and (tonumber(after) or 0) + tonumber(topUp) < 0 then return { 'negative', after } end
local more = { 'operation', id }
if note ~= '' then more = { 'operation', id, 'note', note } end
setLimit(account, 'rpm', rpm)
setLimit(account, 'daily', daily)
setBalance(account, ledger, oldest, balance, more)
if topUp ~= '' then
  redis.call('HSETNX', account, 'balance', '0')
  move(account, ledger, oldest, 'topup', '', { balance = tonumber(topUp) }, more)
end
local result = cjson.encode(redis.call('HGETALL', account))
remember(operation, fingerprint, result)
redis.call('PUBLISH', channel, accountId)
return { 'done', result }
`

/**
 * Creates an account with its key, all of it or nothing. The same command received twice returns the same account.
 * KEYS account, ledger, operation, accounts, key hashes. ARGV operation ID, fingerprint, oldest movement, channel of changes, account ID, rpm,
 * daily limit, balance (as in \`change\`), hash of the key, name, end of the key, now.
 * Returns 'done' and the account as JSON, 'replayed' and the ID of the account that the operation created with another key, or 'reused'.
 */
export const createAccountScript = `${movementFunctions}${operationFunctions}
local account, ledger, operation, accounts, hashes = unpack(KEYS)
local id, fingerprint, oldest, channel, accountId, rpm, daily, balance, hash, name, hint, now = unpack(ARGV)
if redis.call('HGET', hashes, hash) ~= accountId then
  local first = known(operation, fingerprint)
  if first then return first end
  redis.call('HSET', account, 'id', accountId, 'name', name, 'hint', hint, 'createdAt', now)
  setLimit(account, 'rpm', rpm)
  setLimit(account, 'daily', daily)
  if balance ~= 'none' then setBalance(account, ledger, oldest, balance, { 'operation', id }) end
  redis.call('ZADD', accounts, now, accountId)
  redis.call('HSET', hashes, hash, accountId)
  remember(operation, fingerprint, accountId)
  redis.call('PUBLISH', channel, accountId)
end
return { 'done', cjson.encode(redis.call('HGETALL', account)) }
`
