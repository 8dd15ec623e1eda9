-- Grants the free slots of an upstream to waiting jobs: owners take turns, and each owner's jobs come in their order.
-- KEYS holders  set: jobs that have a slot
-- KEYS turns    sorted set: owners with waiting jobs, by the number of their last turn
-- KEYS counter  number of the last turn
-- ARGV waitingPrefix  prefix of the owners' waiting lists (sorted sets of jobs by creation)
-- ARGV maxJobs        how many slots there are
-- ARGV owner          of a job to add to the waiting list; '' without one
-- ARGV id             ID of that job; ''
-- ARGV createdAt      unix ms, of that job; ''
-- RETURNS the IDs of the jobs that were granted a slot

local slotCount = tonumber(maxJobs)
if id ~= '' and redis.call('SISMEMBER', holders, id) == 0 then
  redis.call('ZADD', waitingPrefix .. owner, createdAt, id)
  redis.call('ZADD', turns, 'NX', tonumber(redis.call('GET', counter) or '0'), owner)
end
local granted = {}
while redis.call('SCARD', holders) < slotCount do
  local nextOwner = redis.call('ZRANGE', turns, 0, 0)[1]
  if not nextOwner then break end
  local job = redis.call('ZPOPMIN', waitingPrefix .. nextOwner)[1]
  if job then
    redis.call('SADD', holders, job)
    granted[#granted + 1] = job
    redis.call('ZADD', turns, redis.call('INCR', counter), nextOwner)
  end
  if redis.call('EXISTS', waitingPrefix .. nextOwner) == 0 then redis.call('ZREM', turns, nextOwner) end
end
return granted
