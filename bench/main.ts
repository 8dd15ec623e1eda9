import { parseArgs } from 'node:util'
import { checkRegressions } from './check.ts'
import { canPin, pinThisProcess, stopAll } from './child.ts'
import { measureContent } from './content.ts'
import { measureInFlight } from './in-flight.ts'
import { reportLag } from './lag.ts'
import { measureMedia } from './media.ts'
import { createReport, type Report, writeToReadme } from './report.ts'
import { removeFolders } from './servers.ts'
import { measureStart } from './start.ts'
import { measureStatus } from './status.ts'
import { measureSubmit } from './submit.ts'
import { startTestbed, type Testbed } from './testbed.ts'

const testbedParts: Readonly<Record<string, (report: Report, testbed: Testbed) => Promise<void>>> = {
  start: measureStart,
  submit: measureSubmit,
  status: measureStatus,
  content: measureContent,
  media: measureMedia,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean' }, write: { type: 'boolean' } },
})
const standaloneParts: Readonly<Record<string, (report: Report) => Promise<void>>> = {
  flight: measureInFlight,
  lag: reportLag,
}

const unknownNames = positionals.filter(
  (name) => testbedParts[name] === undefined && standaloneParts[name] === undefined,
)
if (unknownNames.length > 0) {
  process.stderr.write(
    `bench: there is no part ${unknownNames.join(', ')}; there are ${Object.keys({ ...testbedParts, ...standaloneParts }).join(', ')}\n`,
  )
  process.exit(2)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stopAll().then(() => process.exit(1)))
}
pinThisProcess()
try {
  const claimsHold = values.check ? await checkRegressions() : await run()
  process.exitCode = values.check && !claimsHold ? 1 : 0
} finally {
  await stopAll()
  removeFolders()
}

async function run(): Promise<boolean> {
  const wantedNames =
    positionals.length > 0 ? positionals : Object.keys({ ...testbedParts, ...standaloneParts })
  const report = createReport()
  report.write(
    canPin
      ? 'Servers have one core to themselves; load, Redis and the stub share the other.'
      : 'Nothing is pinned: there is no taskset, or only one core.',
  )
  const testbedNames = wantedNames.filter((name) => testbedParts[name] !== undefined)
  if (testbedNames.length > 0) {
    const testbed = await startTestbed(report)
    for (const name of testbedNames) await testbedParts[name]?.(report, testbed)
    await testbed.close()
  }
  for (const name of wantedNames) await standaloneParts[name]?.(report)
  const claimsHold = report.finish()
  if (values.write) writeToReadme()
  return claimsHold
}
