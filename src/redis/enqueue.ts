import type { JobsOptions } from 'bullmq'

/** How every entry of a queue is added: retries and ends belong to the record, not to BullMQ. */
export const queueEntryOptions = {
  attempts: 1,
  removeOnComplete: true,
  removeOnFail: true,
} satisfies JobsOptions

export const queueEntryName = 'step'

const [optionsBefore, optionsAfter] = JSON.stringify({ ...queueEntryOptions, delay: 0, jobId: '|' }).split(
  '|',
)

/**
 * For scripts: `enqueue(<prefix of the queue's keys>, id, unix ms)` makes the entry that `Queue.add` makes, so that a record and its first
 * step come to be together, in one round trip. There must be no entry of that id. Only the events are left out, which nobody listens to,
 * and one marker wakes the workers for all that a script enqueues. The layout is BullMQ's own of exactly the version that package.json
 * names; a test holds it against `Queue.add`.
 */
export const enqueueLua = `
local marked = {}
local function enqueue(queue, id, now)
  local entry = queue .. id
  redis.call('HSET', entry, 'name', '${queueEntryName}', 'data', '{"id":"' .. id .. '"}',
    'opts', '${optionsBefore}' .. id .. '${optionsAfter}', 'timestamp', now, 'delay', '0', 'priority', '0')
  redis.call('LPUSH', queue .. 'wait', id)
  if not marked[queue] then redis.call('ZADD', queue .. 'marker', '0', '0') end
  marked[queue] = true
end
`
