import { parseArgs } from 'node:util'
import { begin } from './begin.ts'
import { check } from './check.ts'
import { canPin, pinMyself, stopAll } from './child.ts'
import { content } from './content.ts'
import { type Field, openField } from './field.ts'
import { flight } from './flight.ts'
import { media } from './media.ts'
import { createReport, intoReadme, type Report } from './report.ts'
import { removeFolders } from './servers.ts'
import { status } from './status.ts'
import { submit } from './submit.ts'

const parts: Readonly<Record<string, (report: Report, field: Field) => Promise<void>>> = {
  start: begin,
  submit,
  status,
  content,
  media,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean' }, write: { type: 'boolean' } },
})
const unknown = positionals.filter((name) => parts[name] === undefined && name !== 'flight')
if (unknown.length > 0) {
  process.stderr.write(
    `bench: there is no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}, flight\n`,
  )
  process.exit(2)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stopAll().then(() => process.exit(1)))
}
pinMyself()
try {
  const holds = values.check ? await check() : await run()
  process.exitCode = values.check && !holds ? 1 : 0
} finally {
  await stopAll()
  removeFolders()
}

async function run(): Promise<boolean> {
  const wanted = positionals.length > 0 ? positionals : [...Object.keys(parts), 'flight']
  const report = createReport()
  report.say(
    canPin
      ? 'Servers have one core to themselves; load, Redis and the stub share the other.'
      : 'Nothing is pinned: there is no taskset, or only one core.',
  )
  const opened = wanted.filter((name) => parts[name] !== undefined)
  if (opened.length > 0) {
    const field = await openField(report)
    for (const name of opened) await parts[name]?.(report, field)
    await field.close()
  }
  if (wanted.includes('flight')) await flight(report)
  const holds = report.end()
  if (values.write) intoReadme()
  return holds
}
