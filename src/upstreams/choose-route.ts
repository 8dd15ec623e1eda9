import type { ProviderName } from '../../providers/provider.ts'
import type { RejectedKeys } from './rejected-keys.ts'
import type { Routing } from './routing.ts'

/** `release`: call it if no job is created. */
type ChosenRoute =
  | {
      kind: 'chosen'
      route: readonly [ProviderName, ...ProviderName[]]
      /** The job retries a rejected key. */
      retriesKey?: boolean
      release(): Promise<void>
    }
  /** Every upstream rejects its key. */
  | { kind: 'none'; retryAt: number }

export type ChooseRoute = (
  model: { id: string },
  route: readonly [ProviderName, ...ProviderName[]],
) => Promise<ChosenRoute>

type Options = {
  routing: Pick<Routing, 'find'>
  rejectedKeys: Pick<RejectedKeys, 'find' | 'claimRetry' | 'releaseRetry'>
  now(): number
}

/**
 * Moves upstreams that reject their key to the end; one whose retry is due keeps its position, so that a job retries it. If all of them reject their
 * key, only one job at a time is accepted, for a retry.
 */
export function createRouteChooser({ routing, rejectedKeys, now }: Options): ChooseRoute {
  return async (model, route) => {
    const upstreams = await Promise.all(
      route.map(async (name) => {
        const upstream = routing.find(model, name)
        const rejectedKey = upstream && (await rejectedKeys.find(upstream))
        return {
          name,
          upstream,
          rejected: rejectedKey,
          isWaiting: rejectedKey !== undefined && rejectedKey.retryAt > now(),
        }
      }),
    )
    if (upstreams.some(({ rejected }) => rejected === undefined)) {
      const ordered = [
        ...upstreams.filter(({ isWaiting }) => !isWaiting),
        ...upstreams.filter(({ isWaiting }) => isWaiting),
      ]
      const [first = route[0], ...others] = ordered.map(({ name }) => name)
      return { kind: 'chosen', route: [first, ...others], release: async () => undefined }
    }
    for (const { name, upstream, isWaiting } of upstreams) {
      if (isWaiting || upstream === undefined || !(await rejectedKeys.claimRetry(upstream))) continue
      const release = () => rejectedKeys.releaseRetry(upstream)
      return { kind: 'chosen', route: [name], retriesKey: true, release }
    }
    return { kind: 'none', retryAt: Math.min(...upstreams.map(({ rejected }) => rejected?.retryAt ?? now())) }
  }
}
