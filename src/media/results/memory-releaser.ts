import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** V8 by itself would let 64 MB of bytes that were read from sockets pile up before it frees any. */
const collectEveryBytes = 8 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as (options: { type: 'minor' }) => void

/** To be told how many bytes went through; frees them again from time to time, which takes about a millisecond. */
export function createMemoryReleaser(): (bytes: number) => void {
  let bytesSinceCollection = 0
  return (bytes) => {
    bytesSinceCollection += bytes
    if (bytesSinceCollection < collectEveryBytes) return
    bytesSinceCollection = 0
    collectGarbage({ type: 'minor' })
  }
}
