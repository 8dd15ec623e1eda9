type Options = {
  bytesPerSecond: number
  windowMs: number
  onStall: (message: string) => void
}

/**
 * Watches that a transfer does not fall below a rate, measured window by window. The time in which the receiver was busy
 * storing what had come is not the sender's.
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
    // A process that was busy for so long has not read what had come.
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
