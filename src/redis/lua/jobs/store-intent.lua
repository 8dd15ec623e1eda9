-- Stores the intent to purchase, unless something prevents the purchase at this moment.
-- KEYS job                hash: the record
-- KEYS open               sorted set: unfinished jobs by deadline (unix ms)
-- KEYS history            list of transitions
-- KEYS epoch              hash: the Redis server that the workers know
-- KEYS identicalRequests  sorted set: jobs that await the reply to an identical request, by attempt (unix ms)
-- ARGV id               ID of the job
-- ARGV leaseToken       of the step that purchases
-- ARGV deadlineAt       unix ms: nothing is purchased afterwards
-- ARGV view             JSON
-- ARGV work             JSON
-- ARGV attempt          marker of the attempt
-- ARGV entry            JSON: entry of the history
-- ARGV dueAt            unix ms: by when the step must have been written
-- ARGV channel          where the transition is published
-- ARGV graceMs          how long purchases pause after another server has taken over
-- ARGV attemptAt        unix ms: when the attempt began
-- ARGV identicalKeepMs  how long the reply is awaited; 0: not recorded
-- RETURNS { 'stored', server }, { 'stale' } (another step has the job), { 'canceled' }, { 'expired' } or { 'paused', ms }
-- @include purchase-pause

local state, currentToken, cancel, currentAttempt = unpack(redis.call('HMGET', job, 'state', 'fence', 'cancel', 'attempt'))
if currentToken ~= leaseToken then return { 'stale' } end
local pausedMs, server = purchasePause(epoch, tonumber(graceMs), false)
-- The same command was executed before, and its reply was lost.
if state == 'submitting' and currentAttempt == attempt then return { 'stored', server } end
if state ~= 'pending' then return { 'stale' } end
if pausedMs > 0 then return { 'paused', pausedMs } end
if cancel then return { 'canceled' } end
if redisTime() > tonumber(deadlineAt) then return { 'expired' } end
redis.call('HSET', job, 'state', 'submitting', 'view', view, 'work', work, 'attempt', attempt)
redis.call('ZADD', open, dueAt, id)
if tonumber(identicalKeepMs) > 0 then
  redis.call('ZADD', identicalRequests, attemptAt, id)
  redis.call('PEXPIRE', identicalRequests, identicalKeepMs)
end
local version = redis.call('HINCRBY', job, 'version', 1)
redis.call('RPUSH', history, entry)
redis.call('PUBLISH', channel, version .. ' ' .. view)
return { 'stored', server }
