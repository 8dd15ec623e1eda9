-- Adds a note to a job that has ended, once per kind. State and version do not change.
-- KEYS job    hash: the record
-- KEYS notes  hash of notes
-- ARGV kind    of the note
-- ARGV note    JSON
-- ARGV keepMs  how long notes are kept
-- RETURNS 1; 0: there is one of this kind, or no job that has ended
-- @include is-terminal

local state = redis.call('HGET', job, 'state')
if not isTerminal(state) then return 0 end
local added = redis.call('HSETNX', notes, kind, note)
redis.call('PEXPIRE', notes, keepMs)
return added
