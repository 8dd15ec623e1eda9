/** Lets work pass as long as all that is inside weighs no more than `capacity`; one that is heavier by itself passes alone. */
export function createSemaphore(capacity: number) {
  const waiting: { weight: number; resume: () => void }[] = []
  let running = 0
  let freeCapacity = capacity

  function startWaiting(): void {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      if (running > 0 && first.weight > freeCapacity) return
      waiting.shift()
      running += 1
      freeCapacity -= first.weight
      first.resume()
    }
  }

  return {
    /** First come, first served. Answers what must be called when the work is done. */
    async acquire(weight: number): Promise<() => void> {
      await new Promise<void>((resume) => {
        waiting.push({ weight, resume })
        startWaiting()
      })
      let isReleased = false
      return () => {
        if (isReleased) return
        isReleased = true
        running -= 1
        freeCapacity += weight
        startWaiting()
      }
    },
  }
}
