import { open } from 'node:fs/promises'

/** The whole lines of a file that another process may be writing. A last line without an end is left out: its write was cut short, or goes on. */
export async function* readWholeLines(path: string): AsyncGenerator<string> {
  const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined
    throw cause
  })
  if (file === undefined) return
  let rest = ''
  for await (const chunk of file.createReadStream({ encoding: 'utf8', highWaterMark: 1024 * 1024 })) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield line
  }
}
