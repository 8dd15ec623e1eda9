import { LRUCache } from 'lru-cache'
import type { JobView } from '../job.ts'
import { parseView } from './codec.ts'

/** About 3 kB each, with the response bodies made from them. */
const maxCachedViews = 2000

/**
 * Parses the views of records. As long as a record does not change, its view is the same object, so that a caller can cache what it derives from it.
 * Redis is read each time, so all processes return the same.
 */
export function createViewCache() {
  const cache = new LRUCache<string, { text: string; version: string; view: JobView }>({
    max: maxCachedViews,
  })
  return (id: string, text: string, version: string): JobView => {
    const cached = cache.get(id)
    if (cached?.text === text && cached.version === version) return cached.view
    const view = parseView(text, version)
    cache.set(id, { text, version, view })
    return view
  }
}
