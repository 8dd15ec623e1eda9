-- Takes the next step of a job: raises the lease token and returns the record. A step that is requested from here on is the one after it.
-- KEYS job   hash: the record
-- KEYS open  sorted set: unfinished jobs by deadline (unix ms)
-- ARGV id              ID of the job
-- ARGV dueAt           unix ms: by when the step must have been written
-- ARGV now             unix ms
-- ARGV pollIntervalMs  minimum time between two requested steps
-- RETURNS nil: no record; 0: the job has ended; 1: requested before the poll interval has passed; otherwise { state, lease token, owner, view,
--   input, work, version, cancel, callback secret, webhook URL, webhook base URL }
-- @include is-terminal
-- @include last-call

local state = redis.call('HGET', job, 'state')
if not state then return nil end
if isTerminal(state) then return 0 end
local nowMs, intervalMs = tonumber(now), tonumber(pollIntervalMs)
local lastCallAt = lastCall(job, state)
if lastCallAt and lastCallAt > nowMs and lastCallAt - nowMs <= intervalMs then
  redis.call('HDEL', job, 'wake')
  return 1
end
local leaseToken = redis.call('HINCRBY', job, 'fence', 1)
redis.call('ZADD', open, dueAt, id)
if redis.call('HDEL', job, 'wake', 'asked') > 0 and lastCallAt then
  redis.call('HSET', job, 'called', stepKindOf(state) .. ' ' .. now)
end
local fields = redis.call('HMGET', job, 'owner', 'view', 'input', 'work', 'version', 'cancel', 'hint', 'webhook', 'address')
return { state, leaseToken, unpack(fields) }
