export type Caller = {
  owner: string
  /** Submits a minute, where this caller's own number counts instead of the usual one. */
  rpm?: number
}

/**
 * `off`: no key is ever asked for. `anonymous`: none yet, because none has ever existed. `keys`: every request needs one.
 * `locked`: every request needs one, and none exists. `lost`: the same, because Redis lost them.
 */
export type AccessMode = 'off' | 'anonymous' | 'keys' | 'locked' | 'lost'

export type Authenticator = {
  /**
   * Whose key this is; `undefined`: nobody's. Asked without a key too. Answers at once where it remembers; rejects with `RedisUnavailable` when
   * it cannot tell.
   */
  identify(key: string | undefined): Caller | undefined | Promise<Caller | undefined>
  /** Rejects with `RedisUnavailable` when it cannot tell. */
  readAccessMode(): AccessMode | Promise<AccessMode>
}

/** Everybody, where nobody is told apart. */
export const anonymousCaller: Caller = { owner: 'anonymous' }

/** Everybody may come in, with any key or none. */
export const anonymousAccess: Authenticator = { identify: () => anonymousCaller, readAccessMode: () => 'off' }
