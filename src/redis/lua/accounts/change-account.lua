-- Changes the limits and the balance of an account, all of it or nothing.
-- KEYS account    hash
-- KEYS ledger     stream: movements of the account
-- KEYS operation  hash: fingerprint and result of this operation
-- ARGV operationId      ID of the operation
-- ARGV fingerprint      of the request
-- ARGV oldestMovement   unix ms: older movements of the ledger may be removed
-- ARGV operationKeepMs  how long the operation is remembered
-- ARGV channel          where changes of accounts are published
-- ARGV accountId        account ID
-- ARGV rpm              requests per minute; '': unchanged; 'none': removes the limit
-- ARGV daily            daily limit, micro-dollars; '' and 'none' as above
-- ARGV balance          micro-dollars; '' and 'none' as above
-- ARGV topUp            micro-dollars added to that balance, may be negative; ''
-- ARGV note             for the ledger; ''
-- RETURNS { 'done' or 'replayed', account as JSON (names and values in turn) }, { 'reused' } (the operation ID came with another request),
--   { 'absent' }, or { 'negative', balance that the top-up would make negative }
-- @include account-operation

local reply = findReply()
if reply then return reply end
if redis.call('HEXISTS', account, 'createdAt') == 0 then return { 'absent' } end
local after = redis.call('HGET', account, 'balance') or ''
if balance ~= '' then after = balance == 'none' and '' or balance end
if topUp ~= '' and (tonumber(after) or 0) + tonumber(topUp) < 0 then return { 'negative', after } end
local details = { 'operation', operationId }
if note ~= '' then details = { 'operation', operationId, 'note', note } end
setLimit('rpm', rpm)
setLimit('daily', daily)
setBalance(balance, details)
if topUp ~= '' then
  redis.call('HSETNX', account, 'balance', '0')
  move(account, ledger, oldestMovement, 'topup', '', { balance = tonumber(topUp) }, details)
end
local result = cjson.encode(redis.call('HGETALL', account))
storeResult(result)
redis.call('PUBLISH', channel, accountId)
return { 'done', result }
