-- Assigns an upstream's task to a job that ended with its money on hold, and resumes the job.
-- KEYS account      hash: the owner's account
-- KEYS ledger       stream: movements of the account
-- KEYS moneyOnHold  hash job -> what is on hold
-- KEYS decision     hash: the decision
-- KEYS job          hash: the record
-- KEYS notes        hash of notes
-- KEYS task          the job that the task belongs to
-- KEYS taskByTicket  the same, under the name that older versions gave it
-- KEYS open          sorted set: unfinished jobs by deadline (unix ms)
-- KEYS history       list of transitions
-- KEYS webhooks      sorted set: ended jobs whose webhook is to be delivered
-- ARGV id              ID of the job
-- ARGV oldestMovement  unix ms: older movements of the ledger may be removed
-- ARGV decisionKeepMs  how long the decision, the note and usage counters are kept
-- ARGV historyNote     JSON: note on the job
-- ARGV kind            'adopt'
-- ARGV owner           account ID
-- ARGV at              unix ms: when it was decided
-- ARGV by              who decided
-- ARGV note            of whoever decided; ''
-- ARGV ticket          the upstream's ID of the adopted task; ''
-- ARGV version         of the record that the new one was made from
-- ARGV view            JSON
-- ARGV work            JSON
-- ARGV attempt         marker of the attempt
-- ARGV entry           JSON: entry of the history
-- ARGV dueAt           unix ms: by when the next step must have been written
-- ARGV channel         where the transition is published
-- ARGV queue           prefix of the queue's keys
-- RETURNS { 'done' or 'decided' (before), the decision: names and values in turn }, { 'none' } (nothing is on hold), { 'gone' } (no record),
--   { 'changed' } (the record has another version), or { 'taken', ID of the job that has the task }
-- @include is-terminal
-- @include ledger
-- @include hold-decision
-- @include enqueue

local entryOnHold = redis.call('HGET', moneyOnHold, id)
if not entryOnHold then return firstDecision() end
local state, currentVersion = unpack(redis.call('HMGET', job, 'state', 'version'))
if not state then return { 'gone' } end
if not isTerminal(state) or currentVersion ~= version then return { 'changed' } end
for _, key in ipairs({ task, taskByTicket }) do
  local claimedBy = redis.call('GET', key)
  if claimedBy and claimedBy ~= id then return { 'taken', claimedBy } end
end
for _, key in ipairs({ task, taskByTicket }) do redis.call('SET', key, id, 'PX', decisionKeepMs) end
local reserved, _, usage, model = readHold(entryOnHold)
redis.call('HDEL', moneyOnHold, id)
move(account, ledger, oldestMovement, kind, id, { held = -reserved, reserved = reserved }, movementDetails)
-- The job ends again, and that end is counted.
count(usage, decisionKeepMs, model, state, -1)
redis.call('HSET', job, 'state', 'queued', 'view', view, 'work', work, 'attempt', attempt)
redis.call('HDEL', job, 'cancel')
redis.call('HINCRBY', job, 'fence', 1)
redis.call('PERSIST', job)
redis.call('PERSIST', history)
redis.call('ZADD', open, dueAt, id)
redis.call('ZREM', webhooks, id)
if redis.call('EXISTS', queue .. id) == 0 then enqueue(queue, id, at) end
local nextVersion = redis.call('HINCRBY', job, 'version', 1)
redis.call('RPUSH', history, entry)
redis.call('PUBLISH', channel, nextVersion .. ' ' .. view)
return recordDecision(reserved)
