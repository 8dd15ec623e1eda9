-- Stops counting a file towards the storage quota of an owner.
-- KEYS files  sorted set: `<bytes> <name>` by expiry (unix ms)
-- KEYS total  the sum of the bytes
-- ARGV bytes  size of the file
-- ARGV name   of the file
-- RETURNS 0

if redis.call('ZREM', files, bytes .. ' ' .. name) == 1 then redis.call('DECRBY', total, bytes) end
return 0
