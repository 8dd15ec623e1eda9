-- Moves money and counts usage, in whole micro-dollars. An account is one hash: `name`, `hint`, `createdAt`, `revokedAt`, `rpm`, `daily` and four
-- amounts: `balance` (absent: unlimited), `reserved` (for unfinished jobs), `held` (unknown whether it was spent) and `spent`. Each change of an
-- amount is written to the ledger by the same script, so an amount is the sum of its movements.
-- increment(key, field, by): the new value; nil: `by` is 0 and nothing is written.
-- move(account, ledger, oldestMovement, kind, job, changes, details): adds `changes` (amount -> micro-dollars) and writes the movement. Returns the
--   new values of the amounts that changed. `details`: further fields of the movement, names and values in turn, or nil.
-- count(usage, keepMs, model, counter, by): adds to a counter of one account, day and model.
-- usageModel(model, isSandbox), sandboxDetails(isSandbox): sandbox jobs cost nothing; they have their own counters, and their movements say so.

local function increment(key, field, by)
  if by ~= 0 then return redis.call('HINCRBY', key, field, string.format('%.0f', by)) end
end
local amounts = { 'balance', 'reserved', 'held', 'spent' }
local function move(account, ledger, oldestMovement, kind, job, changes, details)
  local isLimited = (changes.balance or 0) == 0 or redis.call('HEXISTS', account, 'balance') == 1
  if not isLimited then changes.balance = 0 end
  local movement, after = { 'kind', kind, 'job', job }, {}
  for _, amount in ipairs(amounts) do
    local change = changes[amount] or 0
    if change ~= 0 then
      after[amount] = increment(account, amount, change)
      movement[#movement + 1] = amount
      movement[#movement + 1] = string.format('%.0f', change)
    end
  end
  for _, detail in ipairs(details or {}) do movement[#movement + 1] = detail end
  redis.call('XADD', ledger, 'MINID', '~', oldestMovement, '*', unpack(movement))
  return after
end
local function count(usage, keepMs, model, counter, by)
  local sum = increment(usage, model .. '|' .. counter, by)
  if sum == by then redis.call('PEXPIRE', usage, keepMs) end
end
local function usageModel(model, isSandbox) return isSandbox and model .. '|sandbox' or model end
local function sandboxDetails(isSandbox) return isSandbox and { 'sandbox', '1' } or nil end
