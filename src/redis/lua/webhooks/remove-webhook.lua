-- Removes a pending webhook, unless its job has ended and has one.
-- KEYS webhooks    sorted set: ended jobs whose webhook is to be delivered
-- KEYS job         hash: the record
-- KEYS deletedJob  hash: what the webhook of a deleted job needs
-- ARGV id  ID of the job
-- RETURNS 1; 0: none was removed
-- @include is-terminal

local state, webhook = unpack(redis.call('HMGET', job, 'state', 'webhook'))
if isTerminal(state) and webhook then return 0 end
redis.call('DEL', deletedJob)
return redis.call('ZREM', webhooks, id)
