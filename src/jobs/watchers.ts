import type { Redis } from 'ioredis'
import type { Keys } from '../redis/keys.ts'
import { toRedisError } from '../redis/redis-unavailable.ts'
import type { JobView } from './job.ts'

/** Receives changes of a job. A change may arrive twice or late. */
export type JobWatcher = {
  onChange(view: JobView): void
  /** The subscription was interrupted: changes may have been missed. */
  onMissed(): void
}

export type JobWatchers = ReturnType<typeof createJobWatchers>

type Channel = { watchers: Set<JobWatcher>; subscribed: Promise<unknown> }

/** All watchers of a process share one connection, which subscribes to a job's channel while the job has a watcher. */
export function createJobWatchers({ subscriber, keys }: { subscriber: Redis; keys: Keys }) {
  const channels = new Map<string, Channel>()

  const onMessage = (name: string, message: string) => {
    const channel = channels.get(name)
    if (channel === undefined) return
    const view = parseMessage(message)
    for (const watcher of channel.watchers) watcher.onChange(view)
  }
  // By then the client has resubscribed to its channels, and the reply to this command arrives after theirs.
  const onReady = () => void subscriber.ping().then(notifyMissed, () => undefined)
  subscriber.on('message', onMessage)
  subscriber.on('ready', onReady)

  function notifyMissed(): void {
    for (const { watchers } of channels.values()) for (const watcher of watchers) watcher.onMissed()
  }

  return {
    /** Once this resolves, every later change is reported. Returns how to stop. */
    async watch(id: string, watcher: JobWatcher): Promise<() => void> {
      const name = keys.channel(id)
      const channel = channels.get(name) ?? { watchers: new Set(), subscribed: subscriber.subscribe(name) }
      channels.set(name, channel)
      channel.watchers.add(watcher)
      const stop = () => {
        if (!channel.watchers.delete(watcher) || channel.watchers.size > 0) return
        channels.delete(name)
        subscriber.unsubscribe(name).catch(() => undefined)
      }
      try {
        await channel.subscribed
        return stop
      } catch (cause) {
        stop()
        throw toRedisError(cause)
      }
    },

    close(): void {
      subscriber.off('message', onMessage)
      subscriber.off('ready', onReady)
    },
  }
}

function parseMessage(message: string): JobView {
  const space = message.indexOf(' ')
  return { ...(JSON.parse(message.slice(space + 1)) as JobView), version: Number(message.slice(0, space)) }
}
