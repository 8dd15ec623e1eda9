/** What kind of call a task makes. */
export type CallType =
  | 'accept'
  | 'claim'
  | 'intent'
  | 'journal'
  | 'reconnect'
  | 'transition'
  | 'read'
  | 'write'
  | 'queue'
  | 'prepare'
  | 'purchase'
  | 'poll'
  | 'find'
  | 'stop'
  | 'fetch'
  | 'webhook'
  | 'timer'

/** `any`: whichever call is the n-th of all. */
export type Trigger = { on: CallType | 'any'; nth: number }

export const faultKinds = [
  'crash',
  'freeze',
  'clock',
  'redisRefuses',
  'redisLosesReply',
  'redisRunsTwice',
  'redisLosesWrites',
  'replyLost',
  'slow',
  'refused',
  'repeatsId',
  'forgets',
  'pollFails',
  'storeFails',
  'webhookFails',
] as const

export type FaultKind = (typeof faultKinds)[number]

/** One fault: it hits the n-th call of a type. Plain data, so that it can be generated, shrunk and printed. */
export type Fault = {
  kind: FaultKind
  at: Trigger
  /** Whether the call that it hits is carried out before. */
  executed?: boolean
  /** How long it lasts, or delays. */
  ms?: number
  /** How far a clock jumps. */
  byMs?: number
  /** Which error Redis or the upstream returns. */
  error?: string
  /** Where the writes that are lost begin: a second trigger, before `at`. */
  since?: Trigger
  /** What a worker that dies finds of its disk when it starts again; absent: all of it. */
  disk?: 'kept' | 'torn' | 'powerCut' | 'lost'
}

/** What a call is hit by. `snapshot`: the moment to which lost writes will go back. */
export type Hit = Fault & { snapshot?: true }

export type Faults = ReturnType<typeof createFaults>

/** Counts calls and returns the faults that hit each of them. */
export function createFaults(planned: readonly Fault[]) {
  const counts = new Map<string, number>()
  const injected = new Map<FaultKind, number>()
  const waiting = new Set<Fault>(planned)
  const snapshots = new Set<Fault>(planned.filter(({ since }) => since !== undefined))

  function isNow({ on, nth }: Trigger, type: CallType): boolean {
    return (on === 'any' || on === type) && counts.get(on) === nth
  }

  return {
    take(type: CallType): Hit[] {
      for (const name of [type, 'any']) counts.set(name, (counts.get(name) ?? -1) + 1)
      const hits: Hit[] = []
      for (const fault of snapshots) {
        if (fault.since === undefined || !isNow(fault.since, type)) continue
        snapshots.delete(fault)
        hits.push({ ...fault, snapshot: true })
      }
      for (const fault of waiting) {
        if (!isNow(fault.at, type)) continue
        waiting.delete(fault)
        injected.set(fault.kind, (injected.get(fault.kind) ?? 0) + 1)
        hits.push(fault)
      }
      return hits
    },
    /** How many of each kind have really happened. */
    injected: () => injected,
  }
}
