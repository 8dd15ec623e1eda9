-- Requests the next step of a job at once, although one may be running. Within the poll interval after the last requested step, it requests one step
-- for when the interval has passed. The first cancel does not wait.
-- KEYS job  hash: the record
-- ARGV cancel          who cancels the job: 'client', 'withdrawn', or '' (a callback: nobody)
-- ARGV now             unix ms
-- ARGV pollIntervalMs  minimum time between two requested steps
-- RETURNS 0: no such job; 1: it has ended; 2: its queue entry must be brought forward; 3: the step comes without that
-- @include is-terminal
-- @include last-call

local nowMs, intervalMs = tonumber(now), tonumber(pollIntervalMs)
local state, previousCancel, asked = unpack(redis.call('HMGET', job, 'state', 'cancel', 'asked'))
if not state then return 0 end
if isTerminal(state) then return 1 end
if cancel ~= '' and previousCancel ~= cancel then redis.call('HSET', job, 'cancel', cancel) end
local lastCallAt = lastCall(job, state)
if lastCallAt and lastCallAt - nowMs > intervalMs or cancel ~= '' and not previousCancel then lastCallAt = nil end
-- A step that was not taken in time was lost, or the one before it takes long.
if lastCallAt and asked and nowMs < lastCallAt + intervalMs then return 3 end
local nextAt = (lastCallAt and not asked and nowMs < lastCallAt + intervalMs) and lastCallAt + intervalMs or nowMs
redis.call('HSET', job, 'called', stepKindOf(state) .. ' ' .. string.format('%.0f', nextAt), 'wake', '1', 'asked', '1')
return 2
