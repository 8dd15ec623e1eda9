-- Returns a retry of a rejected key that was not made.
-- KEYS entry  hash: `since`, `code`, `reason` and `retryAt`
-- ARGV retryAt  unix ms
-- RETURNS 1

if redis.call('EXISTS', entry) == 1 then redis.call('HSET', entry, 'retryAt', retryAt) end
return 1
