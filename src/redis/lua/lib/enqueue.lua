-- enqueue(queue, id, at): adds the entry that `Queue.add` of BullMQ adds, so that a record and its first step are written together. `queue` is the
-- prefix of the queue's keys, `at` unix ms. There must be no entry with this ID. The only difference: no event is published, since nothing
-- listens to them. One marker wakes the workers for all entries that a script adds. The layout is that of exactly the BullMQ version in
-- package.json, with the options in src/jobs/queues.ts; test/redis/enqueue.test.ts compares the entry with that of `Queue.add`.

local markedQueues = {}
local function enqueue(queue, id, at)
  redis.call('HSET', queue .. id, 'name', 'step', 'data', '{"id":"' .. id .. '"}',
    'opts', '{"attempts":1,"removeOnComplete":true,"removeOnFail":true,"delay":0,"jobId":"' .. id .. '"}',
    'timestamp', at, 'delay', '0', 'priority', '0')
  redis.call('LPUSH', queue .. 'wait', id)
  if not markedQueues[queue] then redis.call('ZADD', queue .. 'marker', '0', '0') end
  markedQueues[queue] = true
end
