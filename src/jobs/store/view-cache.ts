import { LRUCache } from 'lru-cache'
import type { View } from '../job.ts'
import { readView } from './codec.ts'

/** Some three kilobytes each, with what the tongues make of them. */
const mostKnown = 2000

/**
 * Parses the views of records. As long as a record stays as it is, its view is the same object: whoever tells it can keep what it made of it.
 * Redis is asked each time, so all processes tell the same.
 */
export function createViews() {
  const known = new LRUCache<string, { text: string; version: string; view: View }>({ max: mostKnown })
  return (id: string, text: string, version: string): View => {
    const last = known.get(id)
    if (last?.text === text && last.version === version) return last.view
    const view = readView(text, version)
    known.set(id, { text, version, view })
    return view
  }
}
