-- Each change of an account has an operation ID, so that a command that Redis receives twice is applied once: ioredis sends a command again when
-- its reply is lost, and clients retry with the same `Idempotency-Key`. An operation is a hash: `fingerprint` (of the request) and `result`.
-- findReply(): the reply to this operation if it was applied before, or nil.
-- storeResult(result): remembers the operation.
-- setLimit(field, value), setBalance(target, details): '' leaves it unchanged, 'none' removes it.
-- USES account ledger operation fingerprint oldestMovement operationKeepMs
-- @include ledger

local function findReply()
  local storedFingerprint, result = unpack(redis.call('HMGET', operation, 'fingerprint', 'result'))
  if not storedFingerprint then return nil end
  return storedFingerprint == fingerprint and { 'replayed', result } or { 'reused' }
end
local function storeResult(result)
  redis.call('HSET', operation, 'fingerprint', fingerprint, 'result', result)
  redis.call('PEXPIRE', operation, operationKeepMs)
end
local function setLimit(field, value)
  if value == 'none' then redis.call('HDEL', account, field)
  elseif value ~= '' then redis.call('HSET', account, field, value) end
end
local function setBalance(target, details)
  local before = tonumber(redis.call('HGET', account, 'balance') or '0')
  if target == 'none' then
    move(account, ledger, oldestMovement, 'lift', '', { balance = -before }, details)
    redis.call('HDEL', account, 'balance')
  elseif target ~= '' then
    redis.call('HSETNX', account, 'balance', '0')
    move(account, ledger, oldestMovement, 'set', '', { balance = tonumber(target) - before }, details)
  end
end
