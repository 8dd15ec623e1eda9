-- Counts one more request that uses a stored input.
-- KEYS uses  hash: `uses`, `new` (no request used the file before) and `removing`
-- ARGV keepMs  how long the count is kept
-- RETURNS 1; 0: the file is being removed

if redis.call('HEXISTS', uses, 'removing') == 1 then return 0 end
redis.call('HINCRBY', uses, 'uses', 1)
redis.call('PEXPIRE', uses, keepMs)
return 1
