-- Creates many jobs: writes their records, reserves their prices and queues their first steps. Each job is written completely or not at all, and an
-- error of one does not affect the others.
-- A record is one hash: `owner`, `view`, `input`, `work` (JSON), `state`, `version`, `fence` (the lease token), `attempt`, `hint` (the callback
-- secret), `cancel`, `wake` (a step is requested), `called` and `asked` (see lib/last-call.lua), `written` (the last write ID), `reserved`, `paid`,
-- `sandbox`, `webhook` and `address` (the base URL of links in the webhook).
-- ARGV keepMs             how long a finished job is kept
-- ARGV oldestMovement     unix ms: older movements of the ledger may be removed
-- ARGV ledgerKeepMs       how long usage counters are kept
-- ARGV idempotencyKeepMs  how long the first reply to an idempotency key is repeated
-- ARGV executeBefore      unix ms: afterwards the caller has timed out and returned an error
-- KEYS each job             hash: the record
-- KEYS each open            sorted set: unfinished jobs by deadline (unix ms)
-- KEYS each ownerJobs       sorted set: the owner's jobs by creation (unix ms)
-- KEYS each history         list of transitions
-- KEYS each account         hash: the owner's account
-- KEYS each ledger          stream: movements of the account
-- KEYS each usage           hash: counters of the account and day
-- KEYS each idempotencyKey  hash: the first reply to the idempotency key
-- ARGV each id              ID of the job
-- ARGV each createdAt       unix ms
-- ARGV each dueAt           unix ms: by when its first step must have been written
-- ARGV each owner           account ID
-- ARGV each view            JSON: what clients see
-- ARGV each input           JSON: the request
-- ARGV each work            JSON: what the steps need
-- ARGV each entry           JSON: the first entry of the history
-- ARGV each callbackSecret  authenticates callbacks of the upstream
-- ARGV each price           micro-dollars; 0 in the sandbox
-- ARGV each model           model ID
-- ARGV each fingerprint     of the request; '': no idempotency key
-- ARGV each warnings        JSON: the warnings of the first reply
-- ARGV each webhookUrl      '': the default of the account, if any
-- ARGV each webhookBaseUrl  base URL of links in the webhook
-- ARGV each queue           prefix of the queue's keys
-- ARGV each sandbox         '1' or ''
-- RETURNS for each job: { 'accepted', remaining balance or '' }, { 'replayed', remaining, view, warnings }, { 'reused' } (the idempotency key came
--   with another request), { 'revoked' }, { 'balance', balance }, { 'daily', limit } or { 'error', message }
-- @include redis-time
-- @include ledger
-- @include enqueue

-- Why an account may not have a job, or nil. What is free, like the sandbox, is refused to revoked accounts only.
local function refusalOf(usage, price, balance, dailyLimit, revokedAt)
  if revokedAt then return { 'revoked' } end
  if price == 0 then return nil end
  if dailyLimit and tonumber(redis.call('HGET', usage, 'committed') or '0') + price > tonumber(dailyLimit) then
    return { 'daily', tostring(dailyLimit) }
  end
  if balance and tonumber(balance) < price then return { 'balance', balance } end
  return nil
end
-- Old jobs are removed from the index of an owner once per call.
local prunedIndexes = {}
local function createJob(n)
  -- @item n
  local isSandbox = sandbox == '1'
  if fingerprint ~= '' then
    local first = redis.call('HMGET', idempotencyKey, 'fingerprint', 'left', 'view', 'warnings')
    if first[1] then
      return first[1] == fingerprint and { 'replayed', first[2], first[3], first[4] } or { 'reused' }
    end
  end
  -- The same command was executed before, and its reply was lost.
  if redis.call('EXISTS', job) == 1 then return { 'accepted', redis.call('HGET', account, 'balance') or '' } end
  local priceMicros = tonumber(price)
  local balance, dailyLimit, revokedAt, defaultWebhook =
    unpack(redis.call('HMGET', account, 'balance', 'daily', 'revokedAt', 'webhook'))
  local refusal = refusalOf(usage, priceMicros, balance, dailyLimit, revokedAt)
  if refusal then return refusal end
  local webhook = webhookUrl
  if webhook == '' then webhook = defaultWebhook end
  redis.call('HSET', job, 'owner', owner, 'view', view, 'input', input, 'work', work, 'state', 'pending', 'version', '1',
    'fence', '0', 'hint', callbackSecret, 'reserved', price, 'paid', balance and price or '0')
  if isSandbox then redis.call('HSET', job, 'sandbox', '1') end
  if webhook then redis.call('HSET', job, 'webhook', webhook, 'address', webhookBaseUrl) end
  enqueue(queue, id, createdAt)
  redis.call('ZADD', open, dueAt, id)
  redis.call('ZADD', ownerJobs, createdAt, id)
  if not prunedIndexes[ownerJobs] then
    redis.call('ZREMRANGEBYSCORE', ownerJobs, '-inf', createdAt - keepMs)
    redis.call('PEXPIRE', ownerJobs, keepMs)
    prunedIndexes[ownerJobs] = true
  end
  redis.call('RPUSH', history, entry)
  local paid = balance and priceMicros or 0
  local after = move(account, ledger, oldestMovement, 'reserve', id, { balance = -paid, reserved = priceMicros },
    sandboxDetails(isSandbox))
  increment(usage, 'committed', priceMicros)
  count(usage, ledgerKeepMs, usageModel(model, isSandbox), 'jobs', 1)
  local remaining = after.balance and string.format('%.0f', after.balance) or balance or ''
  if fingerprint ~= '' then
    redis.call('HSET', idempotencyKey, 'fingerprint', fingerprint, 'left', remaining, 'view', view, 'warnings', warnings)
    redis.call('PEXPIRE', idempotencyKey, idempotencyKeepMs)
  end
  return { 'accepted', remaining }
end
local replies = {}
if redisTime() > tonumber(executeBefore) then
  for n = 1, itemCount do replies[n] = { 'error', 'TIMEOUT the command came too late' } end
  return replies
end
for n = 1, itemCount do
  local isDone, reply = pcall(createJob, n)
  replies[n] = isDone and reply or { 'error', type(reply) == 'table' and reply.err or tostring(reply) }
end
return replies
