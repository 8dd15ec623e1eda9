-- Replaces the secret that signs an owner's webhooks. The same command received twice rotates once, and so does a repeated operation.
-- KEYS secret     hash: `current`, `previous` and `until`
-- KEYS operation  exists after this operation
-- ARGV newSecret            the new secret
-- ARGV previousUntil        unix ms: until when the previous secret stays valid
-- ARGV rememberOperation    '1': the operation has an ID and is remembered; '0'
-- ARGV operationKeepMs      how long it is remembered
-- RETURNS the current secret

local previous = redis.call('HGET', secret, 'current')
if previous == newSecret or (previous and redis.call('EXISTS', operation) == 1) then return previous end
redis.call('HSET', secret, 'current', newSecret)
if previous then redis.call('HSET', secret, 'previous', previous, 'until', previousUntil) end
if rememberOperation == '1' then redis.call('SET', operation, '1', 'PX', operationKeepMs) end
return newSecret
