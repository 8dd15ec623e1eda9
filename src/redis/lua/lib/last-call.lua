-- lastCall(job, state): when the last step that was requested (by a callback or a cancel) was taken, or is to be taken; nil: never for this kind
-- of step. The field `called` of the record holds it as `<kind> <unix ms>`; the field `asked` exists while that step has not been taken. A job that
-- moves on to another kind of step does not wait for the poll interval of the one before.
-- stepKindOf(state): the kind of step that a job in this state needs next.

local function stepKindOf(state)
  if state == 'pending' or state == 'submitting' or state == 'delivering' then return state end
  return 'running'
end
local function lastCall(job, state)
  local kind, at = string.match(redis.call('HGET', job, 'called') or '', '^(%a+) (%d+)$')
  return kind == stepKindOf(state) and tonumber(at) or nil
end
