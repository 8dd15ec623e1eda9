-- Records that an upstream rejects a key.
-- KEYS entry  hash: `since`, `code`, `reason` and `retryAt`
-- ARGV code     fault code
-- ARGV reason   the upstream's message
-- ARGV since    unix ms
-- ARGV retryAt  unix ms: when one job may try the key again
-- ARGV keepMs   how long the entry is kept
-- RETURNS 1: the key was not rejected before; 0

local isNew = redis.call('HSETNX', entry, 'since', since)
redis.call('HSET', entry, 'code', code, 'reason', reason, 'retryAt', retryAt)
redis.call('PEXPIRE', entry, keepMs)
return isNew
