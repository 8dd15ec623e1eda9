-- Decides whether money on hold is charged or released: removes the hold, moves the money, and records the decision.
-- KEYS account      hash: the owner's account
-- KEYS ledger       stream: movements of the account
-- KEYS moneyOnHold  hash job -> what is on hold
-- KEYS decision     hash: the decision
-- KEYS job          hash: the record
-- KEYS notes        hash of notes
-- ARGV id              ID of the job
-- ARGV oldestMovement  unix ms: older movements of the ledger may be removed
-- ARGV decisionKeepMs  how long the decision, the note and usage counters are kept
-- ARGV historyNote     JSON: note on the job
-- ARGV kind            'charge' or 'release'
-- ARGV owner           account ID
-- ARGV at              unix ms: when it was decided
-- ARGV by              who decided
-- ARGV note            of whoever decided; ''
-- ARGV ticket          the upstream's ID of the adopted task; ''
-- RETURNS { 'done' or 'decided' (before), the decision: names and values in turn }, { 'none' } (nothing is on hold), or { 'sandbox' }: a sandbox job
--   is never charged
-- @include ledger
-- @include hold-decision

local entry = redis.call('HGET', moneyOnHold, id)
if not entry then return firstDecision() end
local isValid, view = pcall(cjson.decode, redis.call('HGET', job, 'view') or '')
-- Version 0.1 reserved money for sandbox jobs.
if kind == 'charge' and isValid and type(view) == 'table' and view.sandbox == true then return { 'sandbox' } end
local reserved, paid, usage, model = readHold(entry)
redis.call('HDEL', moneyOnHold, id)
local charged = kind == 'charge' and reserved or 0
local refund = kind == 'charge' and 0 or paid
move(account, ledger, oldestMovement, kind, id, { balance = refund, held = -reserved, spent = charged }, movementDetails)
increment(usage, 'committed', charged - reserved)
count(usage, decisionKeepMs, model, 'micros', charged)
return recordDecision(reserved)
