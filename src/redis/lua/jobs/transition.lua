-- Writes what a step did: the record, its history, the deadline and the next step. The last transition settles the money and queues the webhook.
-- Executed twice with one write ID, as after a lost reply, it writes once.
-- KEYS job          hash: the record
-- KEYS open         sorted set: unfinished jobs by deadline (unix ms)
-- KEYS history      list of transitions
-- KEYS account      hash: the owner's account
-- KEYS ledger       stream: movements of the account
-- KEYS usage        hash: counters of the account on the day on which the job was created
-- KEYS moneyOnHold  hash job -> what is on hold, until an operator decides
-- KEYS webhooks     sorted set: ended jobs whose webhook is to be delivered, by deadline (unix ms)
-- ARGV id              ID of the job
-- ARGV guard           'lease': no later step was taken. 'attempt': the reply to the attempt counts, whoever has the latest step. 'takeover': like
--                      'lease', and whoever has that step can write nothing afterwards.
-- ARGV guardValue      lease token, or marker of the attempt
-- ARGV state           new state
-- ARGV view            JSON
-- ARGV work            JSON
-- ARGV attempt         marker of the attempt
-- ARGV entry           JSON: entry of the history; '': nothing that clients or the audit trail should see
-- ARGV dueAt           unix ms: by when the next step must have been written; '': the job has ended
-- ARGV keepMs          how long a finished job is kept
-- ARGV channel         where the transition is published
-- ARGV settlement      'charge', 'release', 'hold', or '' while the job has not ended
-- ARGV chargeMicros    micro-dollars to charge; at most the reserved ones are charged
-- ARGV model           model ID
-- ARGV oldestMovement  unix ms: older movements of the ledger may be removed
-- ARGV ledgerKeepMs    how long usage counters are kept
-- ARGV webhookDueAt    unix ms: by when the webhook must have been tried
-- ARGV queue           prefix of the keys of the queue for the next step; '': the caller schedules it
-- ARGV now             unix ms
-- ARGV writeId         identifies this write
-- RETURNS the version, or 0 when the guard does not hold or the job has ended
-- @include is-terminal
-- @include redis-time
-- @include ledger
-- @include enqueue

local function decodeTable(text)
  local isValid, value = pcall(cjson.decode, text)
  return isValid and type(value) == 'table' and value or {}
end
-- What an operator needs to decide, even when the record is gone.
local function describeHold()
  local storedView, storedWork = unpack(redis.call('HMGET', job, 'view', 'work'))
  storedView, storedWork = decodeTable(storedView), decodeTable(storedWork)
  local lastAttempt = storedWork.attempt or {}
  return cjson.encode({ code = storedView.error and storedView.error.code, provider = lastAttempt.provider,
    attempt = lastAttempt.id, attemptAt = lastAttempt.at, ticket = storedWork.ticket, since = redisTime() })
end
-- Charges at most what was reserved and returns the rest, or puts all of it on hold. An entry of the hash of holds is
-- `<reserved> <paid> <usage key> <model> <JSON>`; entries of version 0.1 have no JSON.
local function settle()
  local reservedText, paidText, isSandbox = unpack(redis.call('HMGET', job, 'reserved', 'paid', 'sandbox'))
  if not reservedText then return end
  local countedModel = usageModel(model, isSandbox)
  count(usage, ledgerKeepMs, countedModel, state, 1)
  local reserved, paid = tonumber(reservedText), tonumber(paidText)
  if settlement == 'hold' then
    redis.call('HSET', moneyOnHold, id,
      string.format('%.0f %.0f ', reserved, paid) .. usage .. ' ' .. countedModel .. ' ' .. describeHold())
    move(account, ledger, oldestMovement, 'hold', id, { reserved = -reserved, held = reserved })
    return
  end
  local charged = settlement == 'charge' and math.min(reserved, tonumber(chargeMicros)) or 0
  local refund = math.max(0, paid - charged)
  move(account, ledger, oldestMovement, settlement, id, { balance = refund, reserved = -reserved, spent = charged },
    sandboxDetails(isSandbox))
  increment(usage, 'committed', charged - reserved)
  count(usage, ledgerKeepMs, countedModel, 'micros', charged)
end

local previousState, leaseToken, currentAttempt, lastWriteId, version =
  unpack(redis.call('HMGET', job, 'state', 'fence', 'attempt', 'written', 'version'))
if not previousState then return 0 end
if lastWriteId == writeId then return tonumber(version) end
if isTerminal(previousState) then return 0 end
if guard == 'attempt' then
  -- The upstream has the task, and the job is still to be purchased: the Redis server that took over has lost the intent.
  local isIntentLost = previousState == 'pending' and state ~= 'pending' and dueAt ~= ''
  if not isIntentLost and not (currentAttempt == guardValue and previousState == 'submitting') then return 0 end
elseif leaseToken ~= guardValue then
  return 0
end
-- A step that was taken before must not overwrite this.
if guard ~= 'lease' then redis.call('HINCRBY', job, 'fence', 1) end
redis.call('HSET', job, 'state', state, 'view', view, 'work', work, 'attempt', attempt, 'written', writeId)
if dueAt == '' then
  redis.call('ZREM', open, id)
  settle()
  if redis.call('HEXISTS', job, 'webhook') == 1 then
    -- The record has no expiry while its webhook is pending; webhooks/log-attempt.lua sets it afterwards.
    redis.call('ZADD', webhooks, webhookDueAt, id)
  else
    redis.call('PEXPIRE', job, keepMs)
    redis.call('PEXPIRE', history, keepMs)
  end
else
  redis.call('ZADD', open, dueAt, id)
end
if queue ~= '' and redis.call('EXISTS', queue .. id) == 0 then enqueue(queue, id, now) end
if entry == '' then return tonumber(version) end
version = redis.call('HINCRBY', job, 'version', 1)
redis.call('RPUSH', history, entry)
redis.call('PUBLISH', channel, version .. ' ' .. view)
return version
