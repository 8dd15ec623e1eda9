/** Every Redis key of the gateway, under one prefix. BullMQ keeps its own below `<prefix>bull`. */
export function createKeys(prefix: string) {
  return {
    bull: `${prefix}bull`,
    /** Begins BullMQ's keys of one queue. */
    queuePrefix: (name: string) => `${prefix}bull:${name}:`,
    /** Unfinished jobs, scored by the time (unix ms) by which something must have happened. */
    open: `${prefix}open`,
    job: (id: string) => `${prefix}job:${id}`,
    /** List of a job's transitions: the n-th entry made version n. */
    history: (id: string) => `${prefix}trail:${id}`,
    /** Hash of notes on a job that had ended. */
    notes: (id: string) => `${prefix}notes:${id}`,
    /** Channel on which each transition is told: `<version> <view>`. */
    channel: (id: string) => `${prefix}channel:${id}`,
    /** A caller's jobs, scored by arrival (unix ms). */
    ownerJobs: (owner: string) => `${prefix}owner:${owner}`,
    /** Hash `<model>@<provider>` -> usual render time in ms; what stand-ins take says nothing about the real ones. */
    renderTimes: (sandbox: boolean) => `${prefix}render-times${sandbox ? ':sandbox' : ''}`,
    /** Who holds a place at an upstream, and who waits for one. */
    slots: (provider: string) => ({
      holders: `${prefix}slots:${provider}`,
      turns: `${prefix}slots:${provider}:turns`,
      counter: `${prefix}slots:${provider}:counter`,
      waiting: `${prefix}slots:${provider}:waiting:`,
    }),
    /** The job that an upstream's task belongs to. */
    task: (provider: string, taskId: string) => `${prefix}task:${provider}:${taskId}`,
    /** Jobs that await a reply to exactly the same request, scored by their attempt (unix ms). */
    identicalRequests: (provider: string, fingerprint: string) =>
      `${prefix}identical:${provider}:${fingerprint}`,
    /** Hash: the server (`run_id` and replication ID) that the workers know, and since when (unix ms). */
    epoch: `${prefix}epoch`,
    /** Written to before replicas are waited for. */
    barrier: `${prefix}barrier`,
    attachment: (id: string) => `${prefix}attachment:${id}`,
    /** A caller's attachments, scored by arrival (unix ms). */
    library: (owner: string) => `${prefix}library:${owner}`,
    /** What a caller stores: sorted set of `<bytes> <name>` by expiry (unix ms), and the sum of the bytes. */
    storedFiles: (owner: string) => `${prefix}stored-files:${owner}`,
    storedBytes: (owner: string) => `${prefix}stored-bytes:${owner}`,
    /** Hash: how many requests use a stored input. */
    inputUses: (hash: string) => `${prefix}input-uses:${hash}`,
    /** With what links to our files are signed. */
    linkSecret: `${prefix}link-secret`,
    /** There was a finished video of this name once. */
    deletedFile: (name: string) => `${prefix}gone:${name}`,
    /** Sorted set of the accounts, by when they were made (unix ms). */
    accounts: `${prefix}accounts`,
    /** Hash: sha256 of an API key -> its account. */
    keyHashes: `${prefix}key-hashes`,
    account: (id: string) => `${prefix}account:${id}`,
    /** Stream of an account's movements of money. */
    ledger: (id: string) => `${prefix}ledger:${id}`,
    /** Hash job -> what is held of its price, until somebody decides. */
    moneyOnHold: (id: string) => `${prefix}held:${id}`,
    /** Hash: what was decided on the money that was on hold for a job. */
    decision: (job: string) => `${prefix}decision:${job}`,
    /** Hash: an operation on accounts that was applied, by the hash of its ID. */
    operation: (hash: string) => `${prefix}operation:${hash}`,
    /** Hash of an account's counters of a day in UTC. */
    usage: (id: string, day: string) => `${prefix}usage:${id}:${day}`,
    /** Channel on which it is told that accounts have changed. */
    accountChanges: `${prefix}account-changes`,
    /** What the rate limits count with. */
    rateLimits: `${prefix}limit:`,
    /** The first answer to an idempotency key. */
    idempotencyKey: (owner: string, key: string) => `${prefix}once:${owner}:${key}`,
    /** Ended jobs whose webhook is still to be delivered, scored by the time (unix ms) by which something must have happened. */
    webhooks: `${prefix}webhooks`,
    /** List of the attempts to deliver a job's webhook. */
    webhookLog: (id: string) => `${prefix}webhook-log:${id}`,
    /** Hash: what the webhook of a deleted job needs of its record, until it is delivered. */
    deletedJob: (id: string) => `${prefix}deleted-job:${id}`,
    /** Hash of the destinations that answered 410 -> when. */
    webhooksGone: (owner: string) => `${prefix}webhooks-gone:${owner}`,
    /** With what an owner's webhooks are signed. */
    webhookSecret: (owner: string) => `${prefix}webhook-secret:${owner}`,
    /** Hash: since when an upstream rejects a key, and when it is tried again. `fingerprint`: of the key. */
    rejectedKey: (provider: string, fingerprint: string) =>
      `${prefix}rejected-key:${provider}:${fingerprint}`,
    /** Held by the one process that sweeps. */
    sweep: `${prefix}sweep`,
  }
}

export type Keys = ReturnType<typeof createKeys>
