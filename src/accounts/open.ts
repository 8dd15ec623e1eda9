export type Caller = {
  owner: string
  /** Submits a minute, where this caller's own number counts instead of the usual one. */
  rpm?: number
}

export type Accounts = {
  /**
   * Whose key this is; `undefined`: nobody's. Asked without a key too. Answers at once where it remembers; rejects with `Unavailable` when
   * it cannot tell.
   */
  identify(key: string | undefined): Caller | undefined | Promise<Caller | undefined>
}

/** Everybody, where nobody is told apart. */
export const anonymous: Caller = { owner: 'anonymous' }

/** Everybody may come in, with any key or none. */
export const open: Accounts = { identify: () => anonymous }
