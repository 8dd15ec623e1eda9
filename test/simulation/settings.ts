/** The settings of the simulated gateway: small, so that runs are short, and of the same proportions as the defaults. */
export const settings = {
  store: { keepMs: 7 * 86_400_000, claimMs: 2 * 86_400_000, graceMs: 5000, minPollIntervalMs: 1000 },
  waitReplicasMs: 1000,
  timeoutMs: 10_000,
  longestPollMs: 20_000,
  reconcileMs: 120_000,
  taskLostMs: 600_000,
  journalMs: 86_400_000,
  typicalMs: 60_000,
  delivery: { timeoutMs: 600_000, graceMs: 120_000, storageRetryMs: 3_600_000 },
  webhookRetriesMs: [5000, 30_000, 120_000, 600_000] as number[],
  maxSkewMs: 5000,
  /** How soon a worker notices that its clock is wrong. */
  clockCheckMs: 10_000,
  priceUsd: 1,
  /** What the one limited account has at the start. */
  balanceUsd: 100,
} as const
