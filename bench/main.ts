import { parseArgs } from 'node:util'
import { begin } from './begin.ts'
import { check } from './check.ts'
import { canPin, pinMyself, stopAll } from './child.ts'
import { content } from './content.ts'
import { type Field, openField } from './field.ts'
import { flight } from './flight.ts'
import { lag } from './lag.ts'
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
const alone: Readonly<Record<string, (report: Report) => Promise<void>>> = { flight, lag }

const unknown = positionals.filter((name) => parts[name] === undefined && alone[name] === undefined)
if (unknown.length > 0) {
  process.stderr.write(
    `bench: there is no part ${unknown.join(', ')}; there are ${Object.keys({ ...parts, ...alone }).join(', ')}\n`,
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
  const wanted = positionals.length > 0 ? positionals : Object.keys({ ...parts, ...alone })
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
  for (const name of wanted) await alone[name]?.(report)
  const holds = report.end()
  if (values.write) intoReadme()
  return holds
}
