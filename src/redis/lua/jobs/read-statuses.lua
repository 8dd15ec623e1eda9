-- Reads from many records what a status needs.
-- KEYS each job  hash: a record
-- RETURNS for each job: { owner, view, version }

local statuses = {}
for n = 1, itemCount do
  -- @item n
  statuses[n] = redis.call('HMGET', job, 'owner', 'view', 'version')
end
return statuses
