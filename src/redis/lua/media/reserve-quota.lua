-- Counts a file towards the storage quota of an owner, after removing up to 1000 expired files from the count.
-- KEYS files  sorted set: `<bytes> <name>` by expiry (unix ms)
-- KEYS total  the sum of the bytes
-- ARGV now         unix ms
-- ARGV expiresAt   unix ms
-- ARGV bytes       size of the file
-- ARGV name        of the file
-- ARGV quotaBytes  how much may be stored
-- ARGV keysTtlMs   how long the two keys are kept
-- RETURNS { -1: counted before, 1: counted now, or 0: does not fit; total before }

for _, expiredFile in ipairs(redis.call('ZRANGEBYSCORE', files, '-inf', now, 'LIMIT', 0, 1000)) do
  redis.call('ZREM', files, expiredFile)
  redis.call('DECRBY', total, string.match(expiredFile, '^%d+'))
end
local file = bytes .. ' ' .. name
local usedBytes = tonumber(redis.call('GET', total) or '0')
local isCounted = redis.call('ZSCORE', files, file)
if not isCounted and usedBytes + tonumber(bytes) > tonumber(quotaBytes) then return { 0, usedBytes } end
redis.call('ZADD', files, expiresAt, file)
if not isCounted then redis.call('INCRBY', total, bytes) end
redis.call('PEXPIRE', files, keysTtlMs)
redis.call('PEXPIRE', total, keysTtlMs)
return { isCounted and -1 or 1, usedBytes }
