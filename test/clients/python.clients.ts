import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { before, describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bytedance } from '../../providers/bytedance/index.ts'
import { fal } from '../../providers/fal/index.ts'
import type { Provider } from '../../providers/provider.ts'
import { runware } from '../../providers/runware/index.ts'
import { wavespeed } from '../../providers/wavespeed/index.ts'
import type { MockUpstream } from '../../src/sandbox/mock-upstream.ts'
import { bytedanceMock as arkSandbox } from '../../src/sandbox/upstreams/bytedance.ts'
import { falMock as falSandbox } from '../../src/sandbox/upstreams/fal.ts'
import { runwareMock as runwareSandbox } from '../../src/sandbox/upstreams/runware.ts'
import { wavespeedMock as wavespeedSandbox } from '../../src/sandbox/upstreams/wavespeed.ts'
import { serveMock } from '../providers/serve-mock.ts'

/*
 * The vendors' own Python clients, in the newest versions (requirements.txt), against the mock upstreams. They are installed into a
 * virtual environment below node_modules; where that fails, the suite fails.
 */

const run = promisify(execFile)
const here = fileURLToPath(new URL('.', import.meta.url))
let python = ''

before(async () => {
  const wanted = await readFile(`${here}requirements.txt`)
  const version = createHash('sha256').update(wanted).digest('hex').slice(0, 12)
  const folder = fileURLToPath(
    new URL(`../../node_modules/.cache/python-clients-${version}`, import.meta.url),
  )
  python = `${folder}/bin/python`
  if (existsSync(`${folder}/installed`)) return
  await mkdir(dirname(folder), { recursive: true })
  await rm(folder, { recursive: true, force: true })
  try {
    await run('python3', ['-m', 'venv', folder])
    await run(python, ['-m', 'pip', 'install', '--quiet', '--requirement', `${here}requirements.txt`])
    await run('touch', [`${folder}/installed`])
  } catch (cause) {
    throw new Error(
      'The Python clients could not be installed: python3 with venv, and a package index, are needed',
      { cause },
    )
  }
})

/** Runs a script against a mock upstream and returns what it prints. Each poll of a task advances its time. */
async function drive(
  t: TestContext,
  sandbox: MockUpstream,
  provider: Provider,
  script: string,
  ...args: string[]
) {
  const { origin, clock } = await serveMock(t, sandbox, provider)
  clock.tick = 300
  const { stdout } = await run(python, [`${here}${script}`, ...args, `${origin}/${sandbox.name}`], {
    timeout: 120_000,
  })
  return JSON.parse(stdout)
}

describe("the vendors' Python clients", () => {
  it('fal-client uploads with a token, submits, polls and reads an error field by field', async (t) => {
    const seen = await drive(t, falSandbox, fal, 'fal.py')
    assert.match(seen.uploaded, /\/storage\/files\/[\w-]+\/kite\.png$/)
    assert.match(seen.stored, /\/storage\/files\/[\w-]+\/kite\.png$/)
    assert.equal(seen.last, 'Completed')
    assert.match(seen.video, /\/videos\/[\w-]+\.mp4$/)
    assert.equal(seen.by_id, seen.video)
    assert.equal(seen.unknown, 404)
    assert.deepEqual([seen.invalid.loc, seen.invalid.type], [['body', 'duration'], 'string_type'])
  })

  for (const module of ['byteplussdkarkruntime', 'volcenginesdkarkruntime']) {
    it(`${module} creates, reads, lists and deletes tasks of Seedance 1.0, 1.5 and 2.0`, async (t) => {
      const seen = await drive(t, arkSandbox, bytedance, 'ark.py', module)
      assert.equal(seen.made.length, 3)
      for (const [at, [status, url]] of seen.ended.entries()) {
        assert.equal(status, 'succeeded')
        assert.match(url, new RegExp(`/videos/${seen.made[at]}\\.mp4$`))
      }
      assert.deepEqual(seen.listed, seen.made.slice(0, 2).toSorted())
      assert.deepEqual(seen.by_model, [seen.made[2]])
      assert.deepEqual(seen.refused, [400, 'InvalidParameter'])
    })
  }

  it('wavespeed polls, waits in sync mode and uploads', async (t) => {
    const seen = await drive(t, wavespeedSandbox, wavespeed, 'wavespeed_client.py')
    assert.match(seen.polled, /\/videos\/[0-9a-f]{32}\.mp4$/)
    assert.match(seen.synced, /\/videos\/[0-9a-f]{32}\.mp4$/)
    assert.match(seen.refused, /duration.*has an invalid value/)
    assert.match(seen.uploaded, /\/media\/[\w-]+\/speech\.mp3$/)
  })

  it('runware renders a video and reads an error', async (t) => {
    const seen = await drive(t, runwareSandbox, runware, 'runware_client.py')
    assert.match(seen.video, /\/videos\/[\w-]+\.mp4$/)
    assert.match(JSON.stringify(seen.refused), /invalidPositivePrompt|positivePrompt/)
  })
})
