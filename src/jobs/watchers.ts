import type { Redis } from 'ioredis'
import type { Keys } from '../redis/keys.ts'
import type { View } from './job.ts'

/** Who watches a job. What it is told may come twice, or older than what it knows. */
export type Watcher = {
  changed(view: View): void
  /** The subscription was interrupted: something may have been missed. */
  missed(): void
}

export type Watchers = ReturnType<typeof createWatchers>

type Channel = { watchers: Set<Watcher>; subscribed: Promise<unknown> }

/** All watchers of a process on one connection: a channel is subscribed to as long as anybody watches its job. */
export function createWatchers({ subscriber, keys }: { subscriber: Redis; keys: Keys }) {
  const channels = new Map<string, Channel>()

  const onMessage = (name: string, message: string) => {
    const channel = channels.get(name)
    if (channel === undefined) return
    const view = readMessage(message)
    for (const watcher of channel.watchers) watcher.changed(view)
  }
  // The client has asked for its channels again by then, and this is answered after they are.
  const onReady = () => void subscriber.ping().then(tellMissed, () => undefined)
  subscriber.on('message', onMessage)
  subscriber.on('ready', onReady)

  function tellMissed(): void {
    for (const { watchers } of channels.values()) for (const watcher of watchers) watcher.missed()
  }

  return {
    /** Once it resolves, every later change is told. Answers how to stop. */
    async watch(id: string, watcher: Watcher): Promise<() => void> {
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
        throw cause
      }
    },

    close(): void {
      subscriber.off('message', onMessage)
      subscriber.off('ready', onReady)
    },
  }
}

function readMessage(message: string): View {
  const space = message.indexOf(' ')
  return { ...(JSON.parse(message.slice(space + 1)) as View), version: Number(message.slice(0, space)) }
}
