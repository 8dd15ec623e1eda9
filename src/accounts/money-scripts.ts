/**
 * The atomic writes of money, all in whole micro-dollars. An account is one hash: `name`, `hint`, `createdAt`, `revokedAt`, `rpm`, `daily`
 * and four purses: `balance` (absent: unlimited), `reserved` (for jobs under way), `held` (nobody knows whether it was spent), `spent`.
 * A movement changes purses and tells so in the ledger, in one script: each purse is the sum of its movements.
 */

/**
 * Functions for other scripts: `move`, which answers what the purses it changed hold by then, and `count`. `more` are further fields of the
 * ledger's row, names and values in turn. Sandbox jobs cost nothing; their rows say so, and `counted` has counters of their own for them.
 */
export const movementFunctions = `
local function add(key, field, by)
  if by ~= 0 then return redis.call('HINCRBY', key, field, string.format('%.0f', by)) end
end
local purses = { 'balance', 'reserved', 'held', 'spent' }
local function move(account, ledger, oldest, kind, job, by, more)
  local limited = (by.balance or 0) == 0 or redis.call('HEXISTS', account, 'balance') == 1
  if not limited then by.balance = 0 end
  local entry, after = { 'kind', kind, 'job', job }, {}
  for _, purse in ipairs(purses) do
    local amount = by[purse] or 0
    if amount ~= 0 then
      after[purse] = add(account, purse, amount)
      entry[#entry + 1] = purse
      entry[#entry + 1] = string.format('%.0f', amount)
    end
  end
  for _, part in ipairs(more or {}) do entry[#entry + 1] = part end
  redis.call('XADD', ledger, 'MINID', '~', oldest, '*', unpack(entry))
  return after
end
local function count(usage, keepMs, model, what, by)
  local sum = add(usage, model .. '|' .. what, by)
  if sum == by then redis.call('PEXPIRE', usage, keepMs) end
end
local function counted(model, sandbox) return sandbox and model .. '|sandbox' or model end
local function ofSandbox(sandbox) return sandbox and { 'sandbox', '1' } or nil end
`

/**
 * For the script that accepts a job: `refusal` answers why the account must not have it, or nil; `reserve` what is left of its balance,
 * or '' where it has none. `paid` comes out of the balance: the price, or 0. What is free, as the sandbox is, is refused to a revoked account only.
 */
export const reserveFunctions = `
local function refusal(usage, price, balance, daily, revoked)
  if revoked then return { 'revoked' } end
  if price == 0 then return nil end
  if daily and tonumber(redis.call('HGET', usage, 'committed') or '0') + price > tonumber(daily) then
    return { 'daily', tostring(daily) }
  end
  if balance and tonumber(balance) < price then return { 'balance', balance } end
  return nil
end
local function reserve(account, ledger, usage, oldest, keepMs, id, model, price, paid, balance, sandbox)
  local after = move(account, ledger, oldest, 'reserve', id, { balance = -paid, reserved = price }, ofSandbox(sandbox))
  add(usage, 'committed', price)
  count(usage, keepMs, counted(model, sandbox), 'jobs', 1)
  return after.balance and string.format('%.0f', after.balance) or balance or ''
end
`

/**
 * For the script that ends a job: charges up to what was reserved and gives the rest back, or holds all of it. An entry of the hash `held` is
 * `<reserved> <paid> <usage key> <model> <JSON>`; the JSON says what an operator needs to decide, when the record is gone too. Entries of
 * version 0.1 have no JSON.
 */
export const settleFunctions = `
local function decoded(text)
  local fine, value = pcall(cjson.decode, text)
  return fine and type(value) == 'table' and value or {}
end
local function describeHold(job)
  local view, work = unpack(redis.call('HMGET', job, 'view', 'work'))
  view, work = decoded(view), decoded(work)
  local attempt, now = work.attempt or {}, redis.call('TIME')
  return cjson.encode({ code = view.error and view.error.code, provider = attempt.provider, attempt = attempt.id,
    attemptAt = attempt.at, ticket = work.ticket, since = now[1] * 1000 + math.floor(now[2] / 1000) })
end
local function settle(account, ledger, usage, held, oldest, keepMs, job, id, model, state, kind, asked)
  local reserved, paid, sandbox = unpack(redis.call('HMGET', job, 'reserved', 'paid', 'sandbox'))
  if not reserved then return end
  model = counted(model, sandbox)
  count(usage, keepMs, model, state, 1)
  reserved, paid = tonumber(reserved), tonumber(paid)
  if kind == 'hold' then
    redis.call('HSET', held, id, string.format('%.0f %.0f ', reserved, paid) .. usage .. ' ' .. model .. ' ' .. describeHold(job))
    return move(account, ledger, oldest, 'hold', id, { reserved = -reserved, held = reserved })
  end
  local charged = kind == 'charge' and math.min(reserved, asked) or 0
  local back = math.max(0, paid - charged)
  move(account, ledger, oldest, kind, id, { balance = back, reserved = -reserved, spent = charged }, ofSandbox(sandbox))
  add(usage, 'committed', charged - reserved)
  count(usage, keepMs, model, 'micros', charged)
end
`
