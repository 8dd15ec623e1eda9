-- Creates an account with its key, all of it or nothing. The same command received twice returns the same account.
-- KEYS account    hash
-- KEYS ledger     stream: movements of the account
-- KEYS operation  hash: fingerprint and result of this operation
-- KEYS accounts   sorted set: accounts by creation (unix ms)
-- KEYS keyHashes  hash: sha256 of an API key -> its account
-- ARGV operationId      ID of the operation
-- ARGV fingerprint      of the request
-- ARGV oldestMovement   unix ms: older movements of the ledger may be removed
-- ARGV operationKeepMs  how long the operation is remembered
-- ARGV channel          where changes of accounts are published
-- ARGV accountId        account ID
-- ARGV rpm              requests per minute; '' or 'none': no limit
-- ARGV daily            daily limit, micro-dollars; '' or 'none': no limit
-- ARGV balance          micro-dollars; '' or 'none': unlimited
-- ARGV keyHash          sha256 of the API key
-- ARGV name             of the account
-- ARGV keyEnding        last characters of the key
-- ARGV createdAt        unix ms
-- RETURNS { 'done', account as JSON }, { 'replayed', ID of the account that the operation created with another key } or { 'reused' }
-- @include account-operation

if redis.call('HGET', keyHashes, keyHash) ~= accountId then
  local reply = findReply()
  if reply then return reply end
  redis.call('HSET', account, 'id', accountId, 'name', name, 'hint', keyEnding, 'createdAt', createdAt)
  setLimit('rpm', rpm)
  setLimit('daily', daily)
  if balance ~= 'none' then setBalance(balance, { 'operation', operationId }) end
  redis.call('ZADD', accounts, createdAt, accountId)
  redis.call('HSET', keyHashes, keyHash, accountId)
  storeResult(accountId)
  redis.call('PUBLISH', channel, accountId)
end
return { 'done', cjson.encode(redis.call('HGETALL', account)) }
