/** Lets work pass as long as all that is inside weighs no more than `capacity`; one that is heavier by itself passes alone. */
export function createGate(capacity: number) {
  const waiting: { weight: number; pass: () => void }[] = []
  let inside = 0
  let free = capacity

  function admit(): void {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (inside > 0 && next.weight > free) return
      waiting.shift()
      inside += 1
      free -= next.weight
      next.pass()
    }
  }

  return {
    /** First come, first served. Answers what must be called when the work is done. */
    async enter(weight: number): Promise<() => void> {
      await new Promise<void>((pass) => {
        waiting.push({ weight, pass })
        admit()
      })
      let left = false
      return () => {
        if (left) return
        left = true
        inside -= 1
        free += weight
        admit()
      }
    },
  }
}
