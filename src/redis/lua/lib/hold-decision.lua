-- Shared by the two decisions on money on hold. A decision is a hash: `micros`, `decision`, `owner`, `at`, `by`, `note` and `ticket`.
-- firstDecision(): the reply where nothing is on hold: the decision that was made before, if any.
-- readHold(entry): reserved and paid micro-dollars, usage key and model of an entry of the hash of holds (see settle in jobs/transition.lua).
-- recordDecision(reserved): writes the decision, and a note on the job. Returns the reply.
-- movementDetails: fields of the movement.
-- USES decision job notes decisionKeepMs historyNote kind owner at by note ticket

local function firstDecision()
  local fields = redis.call('HGETALL', decision)
  return #fields > 0 and { 'decided', unpack(fields) } or { 'none' }
end
local function readHold(entry)
  local reserved, paid, usage, model = string.match(entry, '^(%d+) (%d+) (%S+) (%S+)')
  return tonumber(reserved), tonumber(paid), usage, model
end
local function recordDecision(reserved)
  redis.call('HSET', decision, 'micros', string.format('%.0f', reserved),
    'decision', kind, 'owner', owner, 'at', at, 'by', by, 'note', note, 'ticket', ticket)
  redis.call('PEXPIRE', decision, decisionKeepMs)
  if redis.call('EXISTS', job) == 1 then
    redis.call('HSET', notes, redis.call('HLEN', notes) + 1, historyNote)
    redis.call('PEXPIRE', notes, decisionKeepMs)
  end
  return { 'done', unpack(redis.call('HGETALL', decision)) }
end
local movementDetails = { 'by', by }
if note ~= '' then movementDetails = { 'by', by, 'note', note } end
