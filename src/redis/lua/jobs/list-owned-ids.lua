-- Lists IDs of an owner's jobs, by creation.
-- KEYS ownerJobs  sorted set: the owner's jobs by creation (unix ms)
-- ARGV order  'oldest' or 'newest' first
-- ARGV after  ID: only the jobs after this one; '': from the first one
-- ARGV count  how many at most
-- RETURNS the IDs; nil: `after` is not in the index

local first = 0
if after ~= '' then
  local rank = redis.call(order == 'oldest' and 'ZRANK' or 'ZREVRANK', ownerJobs, after)
  if not rank then return nil end
  first = rank + 1
end
return redis.call(order == 'oldest' and 'ZRANGE' or 'ZREVRANGE', ownerJobs, first, first + count - 1)
