import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** V8 by itself would let 64 MB of bytes that were read from sockets pile up before it frees any. */
const everyBytes = 8 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collectYoung = runInNewContext('gc') as (options: { type: 'minor' }) => void

/** To be told how many bytes went through; frees them again from time to time, which takes about a millisecond. */
export function createCollector(): (bytes: number) => void {
  let since = 0
  return (bytes) => {
    since += bytes
    if (since < everyBytes) return
    since = 0
    collectYoung({ type: 'minor' })
  }
}
