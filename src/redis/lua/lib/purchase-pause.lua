-- purchasePause(epoch, graceMs, isNewServer): for how many ms nothing may be purchased yet, and the server: its `run_id` and replication ID.
-- Purchases pause when another server answers than before, because a failover or a restart may have lost writes. During the pause every running
-- worker restores its attempts (src/jobs/journal). `isNewServer`: the caller knows that the server is another one, whatever the key says. After an
-- orderly shutdown nothing is lost, so there is no pause. A server that hides its `run_id` counts as the same one.
-- @include redis-time

local function purchasePause(epoch, graceMs, isNewServer)
  local info = redis.pcall('INFO', 'server')
  local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)')
  if not run then return 0, '' end
  -- A former replica has the data of its primary, although it kept running: the replication ID shows that.
  local server = run .. ':' .. (string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') or '')
  local previous, since, clean = unpack(redis.call('HMGET', epoch, 'server', 'since', 'clean'))
  if previous ~= server then
    since = (previous or isNewServer) and not clean and redisTime() or 0
    redis.call('HSET', epoch, 'server', server, 'since', string.format('%.0f', since))
  end
  if clean then redis.call('HDEL', epoch, 'clean') end
  return math.max(0, since + graceMs - redisTime()), server
end
