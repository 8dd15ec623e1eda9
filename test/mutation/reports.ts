import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Result } from './main.ts'

/** Where the results of the last run of each source file are kept. */
const folder = 'node_modules/.cache/mutation'

export async function readReports(files: readonly string[]): Promise<Result[]> {
  const texts = await Promise.all(files.map((file) => readFile(pathOf(file), 'utf8').catch(() => '[]')))
  return texts.flatMap((text) => JSON.parse(text) as Result[])
}

export async function writeReports(results: readonly Result[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [file, own] of Map.groupBy(results, ({ file }) => file))
    await writeFile(pathOf(file), JSON.stringify(own))
}

function pathOf(file: string): string {
  return join(folder, `${file.replaceAll('/', '-')}.json`)
}
