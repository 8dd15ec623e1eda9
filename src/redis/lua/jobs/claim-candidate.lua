-- Like claim-task, for a task that no reply has named: it only looks like the job's.
-- KEYS task               the job that the task belongs to
-- KEYS identicalRequests  sorted set: jobs that await the reply to an identical request
-- KEYS epoch              hash: the Redis server that the workers know
-- ARGV job      ID of the job
-- ARGV keepMs   how long the claim is kept
-- ARGV graceMs  how long purchases pause after another server has taken over
-- ARGV server   that the caller has seen
-- RETURNS the ID of the job that the task belongs to; '': another server answers than `server`, or it has just taken over, so that the claim of
--   another job may still be restored
-- @include purchase-pause

local claimedBy = redis.call('GET', task)
if claimedBy then return claimedBy end
local pausedMs, currentServer = purchasePause(epoch, tonumber(graceMs), false)
if pausedMs > 0 or currentServer ~= server then return '' end
redis.call('SET', task, job, 'PX', keepMs)
redis.call('ZREM', identicalRequests, job)
return job
