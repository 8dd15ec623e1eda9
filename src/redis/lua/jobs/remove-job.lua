-- Deletes a job that has ended, with its history. What a pending webhook still needs is kept until the webhook is delivered or given up.
-- KEYS job         hash: the record
-- KEYS history     list of transitions
-- KEYS notes       hash of notes
-- KEYS webhooks    sorted set: ended jobs whose webhook is to be delivered
-- KEYS deletedJob  hash: what the webhook of a deleted job needs
-- ARGV id  ID of the job
-- RETURNS 1; 0: there is no such job, or it has not ended
-- @include is-terminal

local state = redis.call('HGET', job, 'state')
if not isTerminal(state) then return 0 end
if redis.call('ZSCORE', webhooks, id) then
  for _, field in ipairs({ 'owner', 'view', 'version', 'webhook', 'address' }) do
    local value = redis.call('HGET', job, field)
    if value then redis.call('HSET', deletedJob, field, value) end
  end
end
redis.call('DEL', job, history, notes)
return 1
