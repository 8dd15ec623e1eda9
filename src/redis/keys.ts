/** Every Redis key of the gateway, under one prefix. The keys of BullMQ are below `<prefix>bull`. */
export function createKeys(prefix: string) {
  return {
    bull: `${prefix}bull`,
    /** Prefix of BullMQ's keys of one queue. */
    queuePrefix: (name: string) => `${prefix}bull:${name}:`,
    /** Sorted set: unfinished jobs, scored by the deadline (unix ms) of their next step. */
    open: `${prefix}open`,
    job: (id: string) => `${prefix}job:${id}`,
    /** List of a job's transitions: the n-th entry made version n. */
    history: (id: string) => `${prefix}trail:${id}`,
    /** Hash of notes on a job that had ended. */
    notes: (id: string) => `${prefix}notes:${id}`,
    /** Channel on which each transition is published: `<version> <view>`. */
    channel: (id: string) => `${prefix}channel:${id}`,
    /** Sorted set: a caller's jobs, scored by creation (unix ms). */
    ownerJobs: (owner: string) => `${prefix}owner:${owner}`,
    /** Hash `<model>@<provider>` -> typical render time in ms. The sandbox has its own, because mock upstreams are faster than real ones. */
    renderTimes: (sandbox: boolean) => `${prefix}render-times${sandbox ? ':sandbox' : ''}`,
    /** The jobs that have a slot at an upstream, and the jobs that wait for one (see `lua/upstreams/grant-slots.lua`). */
    slots: (provider: string) => ({
      holders: `${prefix}slots:${provider}`,
      turns: `${prefix}slots:${provider}:turns`,
      counter: `${prefix}slots:${provider}:counter`,
      waiting: `${prefix}slots:${provider}:waiting:`,
    }),
    /** The job that an upstream's task belongs to. */
    task: (provider: string, taskId: string) => `${prefix}task:${provider}:${taskId}`,
    /** Sorted set: jobs that await the reply to an identical request, scored by their attempt (unix ms). */
    identicalRequests: (provider: string, fingerprint: string) =>
      `${prefix}identical:${provider}:${fingerprint}`,
    /** Hash: the Redis server (`run_id` and replication ID) that the workers know, and since when (unix ms). */
    epoch: `${prefix}epoch`,
    /** Written before waiting for replicas. */
    barrier: `${prefix}barrier`,
    attachment: (id: string) => `${prefix}attachment:${id}`,
    /** Sorted set: a caller's attachments, scored by creation (unix ms). */
    library: (owner: string) => `${prefix}library:${owner}`,
    /** A caller's stored files: sorted set of `<bytes> <name>`, scored by expiry (unix ms), and the sum of the bytes. */
    storedFiles: (owner: string) => `${prefix}stored-files:${owner}`,
    storedBytes: (owner: string) => `${prefix}stored-bytes:${owner}`,
    /** Hash: how many requests use a stored input. */
    inputUses: (hash: string) => `${prefix}input-uses:${hash}`,
    /** The secret that signs links to our files. */
    linkSecret: `${prefix}link-secret`,
    /** Exists when a finished video of this name was deleted. */
    deletedFile: (name: string) => `${prefix}gone:${name}`,
    /** Sorted set: accounts, scored by creation (unix ms). */
    accounts: `${prefix}accounts`,
    /** Hash: sha256 of an API key -> its account. */
    keyHashes: `${prefix}key-hashes`,
    account: (id: string) => `${prefix}account:${id}`,
    /** Stream: an account's movements of money. */
    ledger: (id: string) => `${prefix}ledger:${id}`,
    /** Hash job -> the money on hold for it, until an operator decides. */
    moneyOnHold: (id: string) => `${prefix}held:${id}`,
    /** Hash: the decision on the money that was on hold for a job. */
    decision: (job: string) => `${prefix}decision:${job}`,
    /** Hash: an operation on accounts that was applied, by the hash of its ID. */
    operation: (hash: string) => `${prefix}operation:${hash}`,
    /** Hash: an account's usage counters of one day (UTC). */
    usage: (id: string, day: string) => `${prefix}usage:${id}:${day}`,
    /** Channel on which changes of accounts are published. */
    accountChanges: `${prefix}account-changes`,
    /** Prefix of the counters of rate limits. */
    rateLimits: `${prefix}limit:`,
    /** Hash: the first reply to an idempotency key. */
    idempotencyKey: (owner: string, key: string) => `${prefix}once:${owner}:${key}`,
    /** Sorted set: ended jobs whose webhook is to be delivered, scored by the deadline (unix ms) of the next attempt. */
    webhooks: `${prefix}webhooks`,
    /** List of the attempts to deliver a job's webhook. */
    webhookLog: (id: string) => `${prefix}webhook-log:${id}`,
    /** Hash: what the webhook of a deleted job needs of its record, until it is delivered. */
    deletedJob: (id: string) => `${prefix}deleted-job:${id}`,
    /** Hash: URLs of webhooks that returned 410 -> when. */
    webhooksGone: (owner: string) => `${prefix}webhooks-gone:${owner}`,
    /** Hash: the secrets that sign an owner's webhooks. */
    webhookSecret: (owner: string) => `${prefix}webhook-secret:${owner}`,
    /** Hash: since when an upstream rejects a key, and when the key is tried again. `fingerprint`: of the key. */
    rejectedKey: (provider: string, fingerprint: string) =>
      `${prefix}rejected-key:${provider}:${fingerprint}`,
    /** Lock of the one process that sweeps. */
    sweep: `${prefix}sweep`,
  }
}

export type Keys = ReturnType<typeof createKeys>
