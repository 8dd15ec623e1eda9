import { randomUUID } from 'node:crypto'
import { rm, statfs } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { FileStore } from './file-store.ts'
import { StorageUnavailable, toStorageUnavailable, wrapStorageErrors } from './storage-fault.ts'
import type { TempDir } from './temp-dir.ts'
import { createTempFileWriter } from './temp-file-writer.ts'

const content = Buffer.from('Reelgate wrote this file to test its storage.\n')
/** A result this recent is not checked again on behalf of one request. */
const maxRecentMs = 5000
/** A store that hangs does not hold up the start any longer. */
const defaultStartTimeoutMs = 2000

type Deps = {
  store: FileStore
  tempDir: TempDir
  dataDir: string
  /** Less free space than this counts as none. */
  floorBytes: number
  everyMs: number
  logger: Logger
  /** Free bytes on the disk that holds `dataDir`. */
  readFreeBytes?: (dataDir: string) => Promise<number>
  startTimeoutMs?: number
}

export type StorageProbe = ReturnType<typeof createStorageProbe>

/** Checks regularly that a file can be stored, found and removed. Every process checks on its own. */
export function createStorageProbe(deps: Deps) {
  const { store, tempDir, dataDir, floorBytes, everyMs, logger } = deps
  const { readFreeBytes = freeBytesOf, startTimeoutMs = defaultStartTimeoutMs } = deps
  const recentMs = Math.min(maxRecentMs, everyMs)
  const name = `probes/${randomUUID()}`
  let fault: StorageUnavailable | undefined
  let checking: Promise<void> | undefined
  let checkedAt = 0
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let hasWarnedOfRemoval = false

  async function requireSpace(): Promise<void> {
    if (floorBytes === 0) return
    const freeBytes = await wrapStorageErrors('read the free disk space', readFreeBytes(dataDir))
    if (freeBytes >= floorBytes) return
    const megabytes = (bytes: number) => `${Math.floor(bytes / 1024 / 1024)} MB`
    const message = `Too little free disk space: ${megabytes(freeBytes)}, DISK_FREE_FLOOR_MB is ${megabytes(floorBytes)}`
    throw new StorageUnavailable(message, { isFull: true })
  }

  async function testStore(): Promise<void> {
    await tempDir.recreate()
    await requireSpace()
    const writer = await createTempFileWriter(tempDir, content.length)
    await writer.write(content)
    const { path } = await writer.end()
    try {
      await store.put(name, path)
    } finally {
      await rm(path, { force: true })
    }
    if ((await store.stat(name))?.bytes !== content.length)
      throw new StorageUnavailable(`Cannot find ${name} after it was stored`)
    await store.remove(name).catch((cause: unknown) => {
      if (!hasWarnedOfRemoval) logger.warn({ err: cause }, 'Storage cannot remove files; old files will stay')
      hasWarnedOfRemoval = true
    })
  }

  function recordFault(newFault: StorageUnavailable | undefined): void {
    if (newFault !== undefined && fault === undefined)
      logger.error({ err: newFault }, 'Storage cannot take files: results wait, submits are rejected')
    if (newFault === undefined && fault !== undefined) logger.info('Storage takes files again')
    fault = newFault
    checkedAt = Date.now()
  }

  function check(): Promise<void> {
    checking ??= testStore()
      .then(
        () => recordFault(undefined),
        (cause: unknown) => recordFault(toStorageUnavailable('store a file', cause)),
      )
      .finally(() => {
        checking = undefined
      })
    return checking
  }

  async function currentFault(): Promise<StorageUnavailable | undefined> {
    if (Date.now() - checkedAt > recentMs) await check()
    return fault
  }

  function scheduleNextCheck(): void {
    if (isStopped) return
    timer = setTimeout(() => void check().finally(scheduleNextCheck), everyMs)
    timer.unref()
  }

  return {
    check,

    /** Why the store cannot take files, as of the last check. */
    fault: () => fault,

    /** The same, checked again unless that was done moments ago. */
    currentFault,

    /** The same; only a fault is checked again, so that its end is noticed soon. */
    confirmedFault: async () => (fault === undefined ? undefined : currentFault()),

    /** Throws `StorageUnavailable` when the disk has too little free space. */
    requireSpace,

    /** Resolves after the first check, or before if the store hangs. */
    async start(): Promise<void> {
      const first = check().finally(scheduleNextCheck)
      await Promise.race([first, sleep(startTimeoutMs, undefined, { ref: false })])
    },

    async stop(): Promise<void> {
      isStopped = true
      clearTimeout(timer)
      await checking
    },
  }
}

async function freeBytesOf(dataDir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dataDir)
  return bavail * bsize
}

/** A store whose lookups report a fault of the whole store as such, and not as an absent file. */
export function withProbe(
  store: FileStore,
  probe: Pick<StorageProbe, 'confirmedFault' | 'currentFault'>,
): FileStore {
  return {
    ...store,
    async stat(name) {
      // Without the permission s3:ListBucket, S3 replies 403 for a missing file.
      const isDenied = (cause: unknown) => cause instanceof StorageUnavailable && cause.isForbidden
      const stored = await store.stat(name).catch(async (cause: unknown) => {
        if (!isDenied(cause) || (await probe.currentFault()) !== undefined) throw cause
        return undefined
      })
      const storeFault = stored === undefined ? await probe.confirmedFault() : undefined
      if (storeFault !== undefined && !storeFault.isFull) throw storeFault
      return stored
    },
  }
}
