-- Takes the one retry of a rejected key that is due.
-- KEYS entry  hash: `since`, `code`, `reason` and `retryAt`
-- ARGV now      unix ms
-- ARGV retryAt  unix ms: when the retry after this one is due
-- RETURNS 1: the key may be tried; 0: no retry is due

local dueAt = redis.call('HGET', entry, 'retryAt')
if not dueAt then return 1 end
if tonumber(dueAt) > tonumber(now) then return 0 end
redis.call('HSET', entry, 'retryAt', retryAt)
return 1
