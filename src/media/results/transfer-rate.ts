type Options = {
  bytesPerSecond: number
  windowMs: number
  onStall: (message: string) => void
}

/**
 * Aborts a transfer that falls below a rate, measured per window. Time that the receiver spends on storing data does not count.
 */
export function watchTransferRate({ bytesPerSecond, windowMs, onStall }: Options) {
  let bytes = 0
  let storingMs = 0
  let windowStart = Date.now()
  let storingSince: number | undefined

  function checkRate(): void {
    const now = Date.now()
    if (storingSince !== undefined) {
      storingMs += now - storingSince
      storingSince = now
    }
    const elapsedMs = now - windowStart
    const receivingMs = elapsedMs - storingMs
    // A process that was blocked for so long has not read the data that arrived.
    const wasBusy = elapsedMs > windowMs * 1.5 || receivingMs < windowMs / 2
    if (!wasBusy && bytes * 1000 < bytesPerSecond * receivingMs)
      onStall(`the result came too slowly: ${bytes} bytes in ${receivingMs} ms`)
    bytes = 0
    storingMs = 0
    windowStart = now
  }

  const timer = setInterval(checkRate, windowMs)
  return {
    async store(chunkBytes: number, writing: Promise<unknown>): Promise<void> {
      bytes += chunkBytes
      storingSince = Date.now()
      try {
        await writing
      } finally {
        storingMs += Date.now() - storingSince
        storingSince = undefined
      }
    },
    stop: () => clearInterval(timer),
  }
}
