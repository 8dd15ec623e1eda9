-- Claims an upstream's task for a job, unless it is another job's. The job's reply is no longer awaited.
-- KEYS task               the job that the task belongs to
-- KEYS identicalRequests  sorted set: jobs that await the reply to an identical request
-- ARGV job     ID of the job
-- ARGV keepMs  how long the claim is kept
-- RETURNS the ID of the job that the task belongs to

local claimedBy = redis.call('GET', task)
if not claimedBy then redis.call('SET', task, job, 'PX', keepMs) end
redis.call('ZREM', identicalRequests, job)
return claimedBy or job
