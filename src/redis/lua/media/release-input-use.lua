-- Counts one request less that uses a stored input.
-- KEYS uses  hash: `uses`, `new` (no request used the file before) and `removing`
-- ARGV removalMs  how long the removal of the file may take
-- RETURNS 1: the file is to be removed, because no request uses it or used it before; 0

if redis.call('EXISTS', uses) == 0 then return 0 end
if redis.call('HINCRBY', uses, 'uses', -1) > 0 then return 0 end
if redis.call('HEXISTS', uses, 'new') == 0 then
  redis.call('DEL', uses)
  return 0
end
redis.call('HSET', uses, 'removing', '1')
redis.call('PEXPIRE', uses, removalMs)
return 1
