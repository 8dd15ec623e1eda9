import { globSync } from 'node:fs'

/**
 * Which tests cover which sources. The first test file that fails ends the run of a mutant, so
 * quick tests come first, and tests that start a whole gateway are left out: each surviving mutant would take half a minute.
 */
export const table: Readonly<Record<string, readonly string[]>> = {
  ...sources('src/upstreams', {
    'transport.ts': ['upstreams/transport-errors.test.ts', 'upstreams/transport.test.ts'],
    'file-bodies.ts': ['upstreams/file-bodies.test.ts'],
    'routing.ts': ['upstreams/routing.test.ts'],
    'overrides.ts': ['upstreams/routing.test.ts'],
    'render-times.ts': ['upstreams/render-times.test.ts'],
    'slots.ts': ['upstreams/slots.test.ts'],
  }),
  ...sources('src/jobs/steps', {
    'deliver.ts': ['jobs/steps/deliver.test.ts'],
    'delivery-lease.ts': ['jobs/steps/delivery-lease.test.ts'],
    'step-runner.ts': [
      'jobs/steps/step-runner.test.ts',
      'jobs/steps/run-step.test.ts',
      'jobs/steps/races.test.ts',
    ],
    'persist-reply.ts': ['jobs/steps/persist-reply.test.ts'],
    'late-result.ts': ['jobs/steps/poll.test.ts', 'jobs/steps/races.test.ts'],
    'upstream-slot.ts': ['jobs/steps/run-step.test.ts'],
    'poll.ts': ['jobs/steps/poll.test.ts', 'jobs/steps/run-step.test.ts', 'jobs/steps/lost-tasks.test.ts'],
    'submit.ts': [
      'jobs/steps/purchase.test.ts',
      'jobs/steps/run-step.test.ts',
      'jobs/steps/races.test.ts',
      'jobs/store/purchase-intents.test.ts',
    ],
    'purchase.ts': [
      'jobs/steps/purchase.test.ts',
      'jobs/store/purchase-intents.test.ts',
      'jobs/steps/run-step.test.ts',
      'jobs/store/task-claims.test.ts',
    ],
    'store-outcome.ts': [
      'jobs/steps/purchase.test.ts',
      'jobs/steps/run-step.test.ts',
      'jobs/steps/races.test.ts',
      'jobs/store/task-claims.test.ts',
    ],
    'fail-over.ts': [
      'jobs/steps/purchase.test.ts',
      'jobs/steps/run-step.test.ts',
      'jobs/steps/races.test.ts',
    ],
    'finish.ts': ['jobs/steps/purchase.test.ts', 'jobs/steps/run-step.test.ts', 'jobs/steps/races.test.ts'],
    'reconcile.ts': [
      'jobs/steps/reconcile.test.ts',
      'jobs/steps/races.test.ts',
      'jobs/store/task-claims.test.ts',
    ],
  }),
  ...sources('src/jobs/store', {
    'transition.ts': ['jobs/store/transition.test.ts'],
    'settlement.ts': ['jobs/store/settlement.test.ts', 'jobs/store/scripts.test.ts'],
    'job-reader.ts': ['jobs/store/view-cache.test.ts', 'jobs/store/store.test.ts'],
    'task-claims.ts': [
      'jobs/store/scripts.test.ts',
      'jobs/store/store.test.ts',
      'jobs/store/task-claims.test.ts',
      'jobs/steps/purchase.test.ts',
    ],
    'purchase-intents.ts': [
      'jobs/store/scripts.test.ts',
      'jobs/store/purchase-intents.test.ts',
      'jobs/steps/purchase.test.ts',
    ],
    'epoch.ts': ['jobs/store/scripts.test.ts', 'jobs/store/purchase-intents.test.ts'],
    'codec.ts': ['jobs/store/store.test.ts', 'jobs/store/scripts.test.ts', 'accounts/money-scripts.test.ts'],
    'create-job.ts': [
      'jobs/store/store.test.ts',
      'jobs/store/scripts.test.ts',
      'accounts/money-scripts.test.ts',
    ],
    'store.ts': [
      'jobs/store/store.test.ts',
      'jobs/store/scripts.test.ts',
      'jobs/steps/run-step.test.ts',
      'jobs/steps/purchase.test.ts',
    ],
    'history.ts': ['jobs/store/store.test.ts', 'jobs/store/history.test.ts', 'jobs/store/scripts.test.ts'],
  }),
  ...sources('src/jobs', {
    'poll-schedule.ts': ['jobs/poll-schedule.test.ts'],
    'follow-job.ts': ['jobs/follow-job.test.ts'],
    'attempt.ts': ['jobs/attempt.test.ts', 'jobs/store/task-claims.test.ts', 'jobs/steps/purchase.test.ts'],
    'callbacks.ts': ['jobs/callbacks.test.ts', 'jobs/store/task-claims.test.ts'],
    'sweep.ts': ['jobs/sweep.test.ts'],
    'withdrawals.ts': ['jobs/withdrawals.test.ts'],
    'unknown-jobs.ts': ['jobs/unknown-jobs.test.ts', 'accounts/adopt-task.test.ts'],
    'adoption.ts': ['jobs/adoption.test.ts', 'accounts/adopt-task.test.ts'],
  }),
  ...sources('src/jobs/journal', {
    'journal.ts': ['jobs/journal/journal.test.ts', 'jobs/journal/restore-attempts.test.ts'],
    'restore-attempts.ts': ['jobs/journal/restore-attempts.test.ts'],
  }),
  ...sources('src/redis', {
    'keys.ts': ['jobs/store/store.test.ts'],
    'clock.ts': ['redis/clock.test.ts'],
    'replicas.ts': ['redis/replicas.test.ts'],
  }),
  ...sources('src/redis/lua/lib', {
    'account-operation.lua': ['accounts/money-scripts.test.ts'],
    'enqueue.lua': ['redis/enqueue.test.ts'],
    'hold-decision.lua': ['accounts/holds.test.ts', 'accounts/adopt-task.test.ts'],
    'is-terminal.lua': ['jobs/store/scripts.test.ts', 'jobs/store/store.test.ts'],
    'last-call.lua': ['jobs/poll-interval.test.ts', 'jobs/wake-job.test.ts'],
    'ledger.lua': ['accounts/money-scripts.test.ts', 'accounts/holds.test.ts'],
    'purchase-pause.lua': ['jobs/store/scripts.test.ts', 'jobs/store/purchase-intents.test.ts'],
    'redis-time.lua': ['jobs/store/scripts.test.ts', 'jobs/store/purchase-intents.test.ts'],
  }),
  ...sources('src/redis/lua/jobs', {
    'add-note.lua': ['jobs/store/scripts.test.ts'],
    'claim-candidate.lua': ['jobs/store/scripts.test.ts', 'jobs/store/task-claims.test.ts'],
    'claim-step.lua': [
      'jobs/store/scripts.test.ts',
      'jobs/store/store.test.ts',
      'jobs/poll-interval.test.ts',
    ],
    'claim-task.lua': ['jobs/store/scripts.test.ts', 'jobs/store/task-claims.test.ts'],
    'create-jobs.lua': [
      'jobs/store/scripts.test.ts',
      'jobs/store/store.test.ts',
      'accounts/money-scripts.test.ts',
      'accounts/job-settlement.test.ts',
    ],
    'list-owned-ids.lua': ['jobs/store/store.test.ts'],
    'observe-server.lua': ['jobs/store/scripts.test.ts', 'jobs/store/purchase-intents.test.ts'],
    'read-statuses.lua': ['jobs/store/store.test.ts'],
    'remove-job.lua': ['jobs/store/scripts.test.ts', 'jobs/store/store.test.ts'],
    'request-step.lua': [
      'jobs/store/scripts.test.ts',
      'jobs/store/store.test.ts',
      'jobs/poll-interval.test.ts',
      'jobs/wake-job.test.ts',
    ],
    'store-intent.lua': ['jobs/store/scripts.test.ts', 'jobs/store/purchase-intents.test.ts'],
    'transition.lua': [
      'jobs/store/scripts.test.ts',
      'jobs/store/store.test.ts',
      'accounts/money-scripts.test.ts',
      'accounts/job-settlement.test.ts',
    ],
  }),
  ...sources('src/redis/lua/accounts', {
    'adopt-task.lua': ['accounts/adopt-task.test.ts'],
    'change-account.lua': ['accounts/money-scripts.test.ts'],
    'create-account.lua': ['accounts/money-scripts.test.ts'],
    'decide-hold.lua': ['accounts/holds.test.ts'],
  }),
  ...sources('src/redis/lua/media', {
    'add-input-use.lua': ['media/inputs/input-uses.test.ts'],
    'release-input-use.lua': ['media/inputs/input-uses.test.ts'],
    'release-quota.lua': ['media/inputs/quota.test.ts'],
    'reserve-quota.lua': ['media/inputs/quota.test.ts'],
  }),
  ...sources('src/redis/lua/upstreams', {
    'claim-retry.lua': ['upstreams/rejected-keys.test.ts'],
    'grant-slots.lua': ['upstreams/slots.test.ts'],
    'reject-key.lua': ['upstreams/rejected-keys.test.ts'],
    'release-retry.lua': ['upstreams/rejected-keys.test.ts'],
  }),
  ...sources('src/redis/lua/webhooks', {
    'log-attempt.lua': ['webhooks/outbox.test.ts', 'webhooks/deliver-webhook.test.ts'],
    'remove-webhook.lua': ['webhooks/outbox.test.ts', 'webhooks/deliver-webhook.test.ts'],
    'rotate-secret.lua': ['webhooks/secrets.test.ts', 'webhooks/outbox.test.ts'],
  }),
  ...sources('src/accounts', {
    'account.ts': ['accounts/account.test.ts', 'accounts/ledger.test.ts', 'accounts/money-scripts.test.ts'],
    'ledger.ts': ['accounts/ledger.test.ts'],
    'check-account.ts': ['accounts/money-scripts.test.ts'],
    'authenticator.ts': ['accounts/authenticator.test.ts'],
    'holds.ts': [
      'accounts/money-scripts.test.ts',
      'accounts/adopt-task.test.ts',
      'jobs/unknown-jobs.test.ts',
    ],
    'money.ts': ['accounts/job-price.test.ts'],
    'access.ts': ['accounts/authenticator.test.ts'],
    'operation.ts': ['accounts/ledger.test.ts', 'cli/keys-command.test.ts'],
    'job-price.ts': ['accounts/job-price.test.ts'],
    'usage.ts': ['accounts/money-scripts.test.ts'],
  }),
  ...sources('src/cli', {
    'keys-command.ts': ['cli/keys-command.test.ts'],
  }),
  ...sources('src/webhooks', {
    'deliver-webhook.ts': ['webhooks/deliver-webhook.test.ts', 'webhooks/delivery.test.ts'],
    'webhook-url.ts': ['webhooks/webhook-links.test.ts'],
    'delivery-limiter.ts': ['webhooks/delivery-limiter.test.ts'],
    'outbox.ts': ['webhooks/outbox.test.ts', 'webhooks/deliver-webhook.test.ts', 'webhooks/delivery.test.ts'],
    'secrets.ts': ['webhooks/secrets.test.ts', 'webhooks/outbox.test.ts'],
    'send-webhook.ts': ['webhooks/send-webhook.test.ts', 'webhooks/delivery.test.ts'],
    'webhooks.ts': ['webhooks/delivery.test.ts'],
  }),
  ...sources('src/net', {
    'private-address.ts': ['net/private-address.test.ts', 'net/safe-fetch.test.ts'],
    'safe-fetch.ts': ['net/safe-fetch.test.ts'],
  }),
  ...sources('src/media/inputs', {
    'base64.ts': ['media/inputs/base64.test.ts'],
    'upload-inputs.ts': ['media/inputs/upload-inputs.test.ts'],
    'input-uses.ts': ['media/inputs/input-uses.test.ts'],
    'store-input.ts': ['media/inputs/store-input.test.ts'],
    'library.ts': ['media/inputs/library.test.ts'],
    'media-limits.ts': ['media/results/semaphore.test.ts'],
    'input-links.ts': ['catalogue/media-values/stored-reference.test.ts'],
    'quota.ts': ['media/inputs/quota.test.ts'],
    'media-refused.ts': ['media/formats/check-file.test.ts'],
    'upload-buffer.ts': ['media/inputs/base64.test.ts'],
    'upload-queue.ts': ['media/inputs/upload-queue.test.ts'],
  }),
  ...sources('src/media/formats', {
    'check-file.ts': ['media/formats/check-file.test.ts'],
    'complete.ts': ['media/formats/check-file.test.ts'],
    'image-pixels.ts': ['media/formats/check-file.test.ts'],
  }),
  ...sources('src/media/results', {
    'content-encoding.ts': ['media/results/content-encoding.test.ts'],
    'download.ts': ['media/results/download.test.ts'],
    'download-slots.ts': ['media/results/download-slots.test.ts'],
    'served-file.ts': ['media/results/served-file.test.ts'],
    'semaphore.ts': ['media/results/semaphore.test.ts'],
    'transfer-rate.ts': ['media/results/transfer-rate.test.ts'],
    'results.ts': ['media/results/results.test.ts'],
    'video-duration.ts': ['media/results/video-duration.test.ts'],
    'thumbnails.ts': ['media/results/thumbnails.test.ts'],
  }),
  ...sources('src/media/storage', {
    'disk.ts': ['media/storage/disk.test.ts'],
    'probe.ts': ['media/storage/probe.test.ts'],
    's3.ts': ['media/storage/s3.test.ts'],
    'temp-dir.ts': ['media/inputs/base64.test.ts'],
    'temp-file-writer.ts': ['media/inputs/base64.test.ts'],
    'storage-fault.ts': ['media/storage/storage-fault.test.ts'],
  }),
  ...sources('src/media', {
    'media.ts': ['media/media.test.ts'],
    'retention.ts': ['media/retention.test.ts'],
  }),
  ...sources('src/catalogue/media-values', {
    'stored-reference.ts': ['catalogue/media-values/stored-reference.test.ts'],
  }),
}

function sources(folder: string, files: Readonly<Record<string, readonly string[]>>) {
  return Object.fromEntries(
    Object.entries(files).map(([file, tests]) => [`${folder}/${file}`, tests.map((test) => `test/${test}`)]),
  )
}

let instead: readonly string[] | undefined

/** Takes these test files for every source. */
export function useTests(patterns: readonly string[]): void {
  instead = patterns
}

/** The test files for a source file, relative to the project. */
export function testsFor(file: string): string[] {
  return [...new Set((instead ?? table[file] ?? []).flatMap((pattern) => globSync(pattern).sort()))]
}

/** The TypeScript and Lua files of a folder, or the one file that is named. */
export function sourcesIn(path: string): string[] {
  if (/\.(ts|lua)$/.test(path)) return [path]
  return globSync(`${path}/**/*.{ts,lua}`).sort()
}
