import { globSync } from 'node:fs'

/**
 * Which tests cover which sources. The first test file that fails ends the run of a mutant, so
 * quick tests come first, and tests that start a whole gateway are left out: each surviving mutant would take half a minute.
 */
const table: Readonly<Record<string, readonly string[]>> = {
  ...sources('src/engine', {
    'transport.ts': ['engine/{transport,upstream-calls}.test.ts'],
    'inline.ts': ['engine/upstream-files.test.ts'],
    'deliver.ts': ['engine/deliver.test.ts'],
    'delivery-lease.ts': ['engine/delivery-lease.test.ts'],
    'upload.ts': ['engine/upstream-files.test.ts'],
    'change.ts': ['engine/change.test.ts'],
    'settlement.ts': ['engine/{settlement,writes}.test.ts'],
    'pace.ts': ['engine/pace.test.ts'],
    'offers.ts': ['engine/routing.test.ts'],
    'overrides.ts': ['engine/routing.test.ts'],
    'render-times.ts': ['engine/render-times.test.ts'],
    'follow.ts': ['engine/follow.test.ts'],
    'views.ts': ['engine/views.test.ts'],
    'slots.ts': ['engine/slots.test.ts'],
    'claims.ts': ['engine/writes.test.ts', 'engine/{store,claims,purchase}.test.ts'],
    'intent.ts': ['engine/writes.test.ts', 'engine/{intent,purchase}.test.ts'],
    'epoch.ts': ['engine/writes.test.ts', 'engine/intent.test.ts'],
    'attempt.ts': ['engine/attempt.test.ts', 'engine/{claims,purchase}.test.ts'],
    'journal.ts': ['engine/{journal,restore}.test.ts'],
    'hint.ts': ['engine/{hint,claims}.test.ts'],
    'step-runner.ts': ['engine/step-runner.test.ts'],
    'sweep.ts': ['engine/sweep.test.ts'],
    'restore.ts': ['engine/restore.test.ts'],
    'persist.ts': ['engine/persist.test.ts'],
    'withdrawals.ts': ['engine/withdrawals.test.ts'],
    'unknown.ts': ['engine/unknown.test.ts', 'accounts/adoption.test.ts'],
    'adoption.ts': ['engine/adopted-record.test.ts', 'accounts/adoption.test.ts'],
    'record.ts': ['engine/{store,writes}.test.ts', 'accounts/ledger.test.ts'],
    'accepting.ts': ['engine/{store,writes}.test.ts', 'accounts/ledger.test.ts'],
    'store.ts': ['engine/{store,writes,steps,purchase}.test.ts'],
    'trail.ts': ['engine/{store,trail,writes}.test.ts'],
    'reading.ts': ['engine/store.test.ts'],
    'keys.ts': ['engine/store.test.ts'],
    'late.ts': ['engine/{poll,races}.test.ts'],
    'place.ts': ['engine/steps.test.ts'],
    'step.ts': ['engine/{steps,races}.test.ts'],
    'watch.ts': ['engine/{poll,steps,lost-tasks}.test.ts'],
    'submit.ts': ['engine/{purchase,steps,races,intent}.test.ts'],
    'purchase.ts': ['engine/{purchase,intent,steps,claims}.test.ts'],
    'outcome.ts': ['engine/{purchase,steps,races,claims}.test.ts'],
    'fail-over.ts': ['engine/{purchase,steps,races}.test.ts'],
    'finish.ts': ['engine/{purchase,steps,races}.test.ts'],
    'reconcile.ts': ['engine/{reconcile,races,claims}.test.ts'],
  }),
  ...sources('src/redis', {
    'clock.ts': ['redis/clock.test.ts'],
    'replicas.ts': ['redis/replicas.test.ts'],
  }),
  ...sources('src/redis/lua', {
    'lib/account-operation.lua': ['accounts/ledger.test.ts'],
    'lib/enqueue.lua': ['redis/enqueue.test.ts'],
    'lib/hold-decision.lua': ['accounts/{holds,adopt-task}.test.ts'],
    'lib/is-terminal.lua': ['jobs/store/{scripts,store}.test.ts'],
    'lib/last-call.lua': ['jobs/{poll-interval,wake-job}.test.ts'],
    'lib/ledger.lua': ['accounts/{money-scripts,ledger,holds}.test.ts'],
    'lib/purchase-pause.lua': ['jobs/store/{scripts,purchase-intents}.test.ts'],
    'lib/redis-time.lua': ['jobs/store/{scripts,purchase-intents}.test.ts'],
    'jobs/add-note.lua': ['jobs/store/scripts.test.ts'],
    'jobs/claim-candidate.lua': ['jobs/store/{scripts,task-claims}.test.ts'],
    'jobs/claim-step.lua': ['jobs/store/{scripts,store}.test.ts', 'jobs/poll-interval.test.ts'],
    'jobs/claim-task.lua': ['jobs/store/{scripts,task-claims}.test.ts'],
    'jobs/create-jobs.lua': [
      'jobs/store/{scripts,store}.test.ts',
      'accounts/{money-scripts,job-settlement}.test.ts',
    ],
    'jobs/list-owned-ids.lua': ['jobs/store/store.test.ts'],
    'jobs/observe-server.lua': ['jobs/store/{scripts,purchase-intents}.test.ts'],
    'jobs/read-statuses.lua': ['jobs/store/store.test.ts'],
    'jobs/remove-job.lua': ['jobs/store/{scripts,store}.test.ts'],
    'jobs/request-step.lua': ['jobs/store/{scripts,store}.test.ts', 'jobs/{poll-interval,wake-job}.test.ts'],
    'jobs/store-intent.lua': ['jobs/store/{scripts,purchase-intents}.test.ts'],
    'jobs/transition.lua': [
      'jobs/store/{scripts,store}.test.ts',
      'accounts/{money-scripts,job-settlement}.test.ts',
    ],
    'accounts/adopt-task.lua': ['accounts/adopt-task.test.ts'],
    'accounts/change-account.lua': ['accounts/ledger.test.ts'],
    'accounts/create-account.lua': ['accounts/ledger.test.ts'],
    'accounts/decide-hold.lua': ['accounts/holds.test.ts'],
    'media/add-input-use.lua': ['media/inputs/input-uses.test.ts'],
    'media/release-input-use.lua': ['media/inputs/input-uses.test.ts'],
    'media/release-quota.lua': ['media/inputs/quota.test.ts'],
    'media/reserve-quota.lua': ['media/inputs/quota.test.ts'],
    'upstreams/claim-retry.lua': ['upstreams/rejected-keys.test.ts'],
    'upstreams/grant-slots.lua': ['upstreams/slots.test.ts'],
    'upstreams/reject-key.lua': ['upstreams/rejected-keys.test.ts'],
    'upstreams/release-retry.lua': ['upstreams/rejected-keys.test.ts'],
    'webhooks/log-attempt.lua': ['webhooks/{outbox,deliver-webhook}.test.ts'],
    'webhooks/remove-webhook.lua': ['webhooks/{outbox,deliver-webhook}.test.ts'],
    'webhooks/rotate-secret.lua': ['webhooks/{secrets,outbox}.test.ts'],
  }),
  ...sources('src/accounts', {
    'account.ts': ['accounts/{account,book,ledger}.test.ts'],
    'book.ts': ['accounts/book.test.ts'],
    'check.ts': ['accounts/ledger.test.ts'],
    'command.ts': ['accounts/command.test.ts'],
    'door.ts': ['accounts/door.test.ts'],
    'holds.ts': ['accounts/{ledger,adoption}.test.ts', 'engine/unknown.test.ts'],
    'money.ts': ['accounts/prices.test.ts'],
    'open.ts': ['accounts/door.test.ts'],
    'operation.ts': ['accounts/{book,command}.test.ts'],
    'price.ts': ['accounts/prices.test.ts'],
    'usage.ts': ['accounts/ledger.test.ts'],
  }),
  ...sources('src/webhooks', {
    'deliver.ts': ['webhooks/{attempt,deliver}.test.ts'],
    'destination.ts': ['webhooks/address.test.ts'],
    'gate.ts': ['webhooks/gate.test.ts'],
    'outbox.ts': ['webhooks/outbox.test.ts', 'webhooks/{attempt,deliver}.test.ts'],
    'secrets.ts': ['webhooks/{secrets,outbox}.test.ts'],
    'send.ts': ['webhooks/send.test.ts', 'webhooks/deliver.test.ts'],
    'webhooks.ts': ['webhooks/deliver.test.ts'],
  }),
  ...sources('src/media', {
    'address.ts': ['media/{address,guard}.test.ts'],
    'base64.ts': ['media/base64.test.ts'],
    'check.ts': ['media/formats.test.ts'],
    'complete.ts': ['media/formats.test.ts'],
    'content-encoding.ts': ['media/content-encoding.test.ts'],
    'disk.ts': ['media/disk.test.ts'],
    'download.ts': ['media/download-file.test.ts'],
    'download-slots.ts': ['media/download-slots.test.ts'],
    'found-file.ts': ['media/found-file.test.ts'],
    'gate.ts': ['media/limiters.test.ts'],
    'guard.ts': ['media/guard.test.ts'],
    'hand-over.ts': ['media/upload-inputs.test.ts'],
    'input-uses.ts': ['media/input-uses.test.ts'],
    'keep.ts': ['media/keep-files.test.ts'],
    'library.ts': ['media/attachments.test.ts'],
    'limits.ts': ['media/limiters.test.ts'],
    'links.ts': ['media/references.test.ts'],
    'media.ts': ['media/media.test.ts'],
    'pixels.ts': ['media/formats.test.ts'],
    'probe.ts': ['media/probe.test.ts'],
    'progress.ts': ['media/progress.test.ts'],
    'quota.ts': ['media/quota.test.ts'],
    'reference.ts': ['media/references.test.ts'],
    'refusal.ts': ['media/formats.test.ts'],
    'results.ts': ['media/store-result.test.ts'],
    'retention.ts': ['media/keep-time.test.ts'],
    's3.ts': ['media/bucket.test.ts'],
    'scratch.ts': ['media/base64.test.ts'],
    'seconds.ts': ['media/seconds.test.ts'],
    'sink.ts': ['media/base64.test.ts'],
    'spool.ts': ['media/base64.test.ts'],
    'stills.ts': ['media/draw-still.test.ts'],
    'storage-fault.ts': ['media/storage-fault.test.ts'],
    'upload-queue.ts': ['media/upload-queue.test.ts'],
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
