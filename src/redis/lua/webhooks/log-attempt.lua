-- Logs an attempt to deliver a webhook. The same command received twice writes one entry. The record has no expiry while its webhook is pending; the
-- last attempt sets it.
-- KEYS log         list of attempts
-- KEYS webhooks    sorted set: ended jobs whose webhook is to be delivered, by deadline (unix ms)
-- KEYS job         hash: the record
-- KEYS deletedJob  hash: what the webhook of a deleted job needs
-- KEYS history     list of the job's transitions
-- ARGV id          ID of the job
-- ARGV entryId     ID of the entry
-- ARGV entry       JSON, contains its ID
-- ARGV maxEntries  how many entries are kept
-- ARGV keepMs      how long a finished job and its log are kept
-- ARGV nextDueAt   unix ms: by when the next attempt must have been made; '': this was the last one
-- ARGV version     of the job whose end was to be delivered; ''
-- RETURNS 1; 0: this entry was written before
-- @include is-terminal

for _, previousEntry in ipairs(redis.call('LRANGE', log, 0, -1)) do
  if string.find(previousEntry, entryId, 1, true) then return 0 end
end
redis.call('RPUSH', log, entry)
redis.call('LTRIM', log, -maxEntries, -1)
redis.call('PEXPIRE', log, keepMs)
local state, currentVersion = unpack(redis.call('HMGET', job, 'state', 'version'))
-- An operator has resumed the job meanwhile: its next end is another webhook.
if version ~= '' and currentVersion and currentVersion ~= version then return 1 end
if nextDueAt ~= '' then
  redis.call('ZADD', webhooks, nextDueAt, id)
  if isTerminal(state) then
    redis.call('PERSIST', job)
    redis.call('PERSIST', history)
  end
  return 1
end
redis.call('ZREM', webhooks, id)
redis.call('DEL', deletedJob)
if isTerminal(state) and redis.call('PTTL', job) == -1 then
  redis.call('PEXPIRE', job, keepMs)
  redis.call('PEXPIRE', history, keepMs)
end
return 1
