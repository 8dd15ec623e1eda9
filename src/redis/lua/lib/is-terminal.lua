-- isTerminal(state): whether a job in this state has ended.

local function isTerminal(state)
  return state == 'succeeded' or state == 'failed' or state == 'canceled'
end
