import { enqueueLua } from '../redis/enqueue.ts'
import { movementFunctions } from './money-scripts.ts'

/**
 * The atomic decisions on money on hold. Each removes the hold, moves the money, and records the decision and a note in the job's history. A
 * decision is a hash: `decision`, `owner`, `micros`, `at`, `by`, `note`, `ticket`. Without a hold, both return the first decision.
 */

const holdFunctions = `${movementFunctions}
local account, ledger, held, decision, job, notes = unpack(KEYS)
local id, oldest, keepMs, historyNote, kind, by, note = unpack(ARGV)
local function firstDecision()
  local first = redis.call('HGETALL', decision)
  return #first > 0 and { 'decided', unpack(first) } or { 'none' }
end
local function record(reserved, fields)
  redis.call('HSET', decision, 'micros', string.format('%.0f', reserved), unpack(fields))
  redis.call('PEXPIRE', decision, keepMs)
  if redis.call('EXISTS', job) == 1 then
    redis.call('HSET', notes, redis.call('HLEN', notes) + 1, historyNote)
    redis.call('PEXPIRE', notes, keepMs)
  end
  return { 'done', unpack(redis.call('HGETALL', decision)) }
end
local function readHold(entry)
  local reserved, paid, usage, model = string.match(entry, '^(%d+) (%d+) (%S+) (%S+)')
  return tonumber(reserved), tonumber(paid), usage, model
end
local ofLedger = { 'by', by }
if note ~= '' then ofLedger = { 'by', by, 'note', note } end
`

/**
 * KEYS account, ledger, held, decision, job, notes. ARGV job ID, oldest movement, keep ms, history note, 'charge' | 'release', by, note or '', then
 * the fields of the decision, names and values in turn. Returns 'done' or 'decided' and the decision, 'none', or 'sandbox': a sandbox job is never
 * charged.
 */
export const decideHoldScript = `${holdFunctions}
local entry = redis.call('HGET', held, id)
if not entry then return firstDecision() end
local view = redis.call('HGET', job, 'view')
local readable, shown = pcall(cjson.decode, view or '')
-- Version 0.1 reserved money for sandbox jobs.
if kind == 'charge' and readable and type(shown) == 'table' and shown.sandbox == true then return { 'sandbox' } end
local reserved, paid, usage, model = readHold(entry)
redis.call('HDEL', held, id)
local charged = kind == 'charge' and reserved or 0
local back = kind == 'charge' and 0 or paid
move(account, ledger, oldest, kind, id, { balance = back, held = -reserved, spent = charged }, ofLedger)
add(usage, 'committed', charged - reserved)
count(usage, keepMs, model, 'micros', charged)
return record(reserved, { unpack(ARGV, 8) })
`

/**
 * Assigns an upstream task to a job that ended with its money on hold, and resumes the job.
 * KEYS as \`decide\`, then task, task by ticket, open, events, webhooks. ARGV as \`decide\` up to the note, then version of the record that the new
 * one was made from, view, work, attempt, event, open score, channel, prefix of the queue's keys, now, then the fields of the decision.
 * Returns 'done' or 'decided' and the decision, 'none', 'gone' (the record), 'changed' (another version), or 'taken' and the job that has the task.
 */
export const adoptTaskScript = `${holdFunctions}${enqueueLua}
local task, taskByTicket, open, events, webhooks = unpack(KEYS, 7)
local version, view, work, attempt, event, score, channel, queue, now = unpack(ARGV, 8, 16)
local entry = redis.call('HGET', held, id)
if not entry then return firstDecision() end
local state, current = unpack(redis.call('HMGET', job, 'state', 'version'))
if not state then return { 'gone' } end
local ended = state == 'succeeded' or state == 'failed' or state == 'canceled'
if not ended or current ~= version then return { 'changed' } end
for _, key in ipairs({ task, taskByTicket }) do
  local owner = redis.call('GET', key)
  if owner and owner ~= id then return { 'taken', owner } end
end
for _, key in ipairs({ task, taskByTicket }) do redis.call('SET', key, id, 'PX', keepMs) end
local reserved, _, usage, model = readHold(entry)
redis.call('HDEL', held, id)
move(account, ledger, oldest, 'adopt', id, { held = -reserved, reserved = reserved }, ofLedger)
-- The job is to end again, and to be counted by that end.
count(usage, keepMs, model, state, -1)
redis.call('HSET', job, 'state', 'queued', 'view', view, 'work', work, 'attempt', attempt)
redis.call('HDEL', job, 'cancel')
redis.call('HINCRBY', job, 'fence', 1)
redis.call('PERSIST', job)
redis.call('PERSIST', events)
redis.call('ZADD', open, score, id)
redis.call('ZREM', webhooks, id)
if redis.call('EXISTS', queue .. id) == 0 then enqueue(queue, id, now) end
local next = redis.call('HINCRBY', job, 'version', 1)
redis.call('RPUSH', events, event)
redis.call('PUBLISH', channel, next .. ' ' .. view)
return record(reserved, { unpack(ARGV, 17) })
`
