import type { JobView } from '../job.ts'
import { parseView } from './codec.ts'

/** Some three kilobytes each, with what the tongues make of them. */
const maxCachedViews = 2000

/**
 * Parses the views of records. As long as a record stays as it is, its view is the same object: whoever tells it can keep what it made of it.
 * Redis is asked each time, so all processes tell the same.
 */
export function createViewCache() {
  const cache = new Map<string, { text: string; version: string; view: JobView }>()
  return (id: string, text: string, version: string): JobView => {
    const cached = cache.get(id)
    if (cached?.text === text && cached.version === version) return cached.view
    const view = parseView(text, version)
    const [oldest] = cache.keys()
    if (cached === undefined && cache.size >= maxCachedViews && oldest !== undefined) cache.delete(oldest)
    cache.set(id, { text, version, view })
    return view
  }
}
