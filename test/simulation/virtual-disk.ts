import disk from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { type Clock, currentClock } from './virtual-time.ts'

/** Paths below it are on the virtual disk. */
export const diskRoot = '/simulated'

type File = {
  text: string
  /** How much of the text is on the disk for certain. */
  syncedLength: number
  mtimeMs: number
  /** Whose file it is. */
  writer: Clock | undefined
}

const files = new Map<string, File>()

/** A new, empty disk. */
export function clearDisk(): void {
  files.clear()
}

/** Removes all files of a folder. */
export function loseFolder(dir: string): void {
  for (const path of files.keys()) if (path.startsWith(`${dir}/`)) files.delete(path)
}

/** What a power cut leaves of a process's files: what was synced, and half of the rest. */
export function cutPower(writer: Clock): void {
  for (const file of files.values()) {
    if (file.writer !== writer) continue
    const rest = file.text.length - file.syncedLength
    file.text = file.text.slice(0, file.syncedLength + Math.floor(rest / 2))
  }
}

/** Puts half a line at the end of a process's files: it died while it wrote. */
export function tearLines(writer: Clock): void {
  for (const file of files.values()) if (file.writer === writer) file.text += '{"begin":{"job":"jo'
}

/**
 * Replaces what the engine's journal and withdrawals use of `node:fs/promises`, for the whole process and for paths below `diskRoot`: files in memory,
 * whose times are those of the virtual clock. Returns how to undo it.
 */
export function installVirtualDisk(): () => void {
  const { mkdir, open, readdir, rm, stat } = disk
  const isVirtual = (path: unknown): path is string =>
    typeof path === 'string' && (path === diskRoot || path.startsWith(`${diskRoot}/`))
  const override = <F extends (...args: never[]) => unknown>(
    real: F,
    virtual: (...args: Parameters<F>) => unknown,
  ) => ((...args: Parameters<F>) => (isVirtual(args[0]) ? virtual(...args) : real(...args))) as F

  Object.assign(disk, {
    mkdir: override(mkdir, async () => undefined),
    open: override(open, async (path, flags) => openFile(String(path), String(flags ?? 'r'))),
    readdir: override(readdir as (path: string) => Promise<string[]>, async (path) => namesIn(path)),
    rm: override(rm, async (path) => void files.delete(String(path))),
    stat: override(stat as (path: string) => Promise<object>, async (path) => {
      const { mtimeMs } = find(path)
      return { mtimeMs, isFile: () => true }
    }),
  })
  syncBuiltinESMExports()
  return () => {
    Object.assign(disk, { mkdir, open, readdir, rm, stat })
    syncBuiltinESMExports()
  }
}

function namesIn(dir: string): string[] {
  const names = [...files.keys()].filter((path) => path.startsWith(`${dir}/`))
  return names.map((path) => path.slice(dir.length + 1)).filter((name) => !name.includes('/'))
}

function find(path: string): File {
  const file = files.get(path)
  if (file === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
  return file
}

function openFile(path: string, flags: string) {
  const isFolder = flags === 'r' && namesIn(path).length > 0
  if (flags !== 'r' && !files.has(path)) files.set(path, createFile())
  const file = isFolder ? createFile() : find(path)
  const sync = async () => {
    file.syncedLength = file.text.length
  }
  return {
    sync,
    datasync: sync,
    close: async () => undefined,
    appendFile: async (text: string) => {
      file.text += text
      file.mtimeMs = Date.now()
    },
    createReadStream: async function* () {
      yield file.text
    },
  }
}

function createFile(): File {
  return { text: '', syncedLength: 0, mtimeMs: Date.now(), writer: currentClock() }
}
