export type Caller = {
  owner: string
  /** The caller's own limit of submits per minute; absent: the default applies. */
  rpm?: number
}

/**
 * `off`: no request needs a key. `anonymous`: no key has ever existed, so requests without one are accepted. `keys`: every request needs one.
 * `locked`: every request needs one, and none exists. `lost`: as `locked`, because Redis has lost the keys.
 */
export type AccessMode = 'off' | 'anonymous' | 'keys' | 'locked' | 'lost'

export type Authenticator = {
  /**
   * Returns the owner of a key, or the anonymous caller if there is no key and none is needed; `undefined`: unauthorized. Synchronous if cached;
   * rejects with `RedisUnavailable` if Redis is needed and unavailable.
   */
  identify(key: string | undefined): Caller | undefined | Promise<Caller | undefined>
  /** Rejects with `RedisUnavailable` if the mode is unknown without Redis. */
  readAccessMode(): AccessMode | Promise<AccessMode>
}

/** The caller of every request without a key. */
export const anonymousCaller: Caller = { owner: 'anonymous' }

/** Accepts every request, with any key or none. */
export const anonymousAccess: Authenticator = { identify: () => anonymousCaller, readAccessMode: () => 'off' }
