import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { open, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { environment, startProcess, stopProcess } from '../support/gateway-process.ts'
import { createCleanup, temporaryFolder } from '../support/setup.ts'
import { renderTables, tables } from './tables.ts'

const run = promisify(execFile)
const readme = await readFile('README.md', 'utf8')
const clients = await readFile('docs/clients.md', 'utf8')
const pages = ['README.md', 'bench/README.md', ...(await readdir('docs')).map((name) => join('docs', name))]

const mostWords = 900

describe('generated tables', () => {
  for (const [file, byMarker] of Object.entries(tables))
    it(`${file} has the tables of the code (npm run tables writes them)`, async () => {
      const { current, expected } = await renderTables(file)
      for (const marker of Object.keys(byMarker))
        assert.ok(current.includes(`<!-- ${marker} -->`), `${file} has no table ${marker}`)
      assert.equal(current, expected)
    })
})

describe('README', () => {
  it(`has at most ${mostWords} words and two tables`, () => {
    assert.ok(readme.split(/\s+/).filter(Boolean).length <= mostWords)
    assert.equal(readme.match(/^\| --- /gm)?.length, 2)
  })
})

describe('documentation', () => {
  for (const page of pages)
    it(`${page} names files and headings that exist`, async () => {
      const text = await readFile(page, 'utf8')
      for (const [path] of text.matchAll(/\b(src|test|providers)\/[\w/.-]+\.(ts|js|json)\b/g))
        assert.ok(existsSync(path), path)
      const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(#[^)]*)?\)/g)]
      for (const [link, path = '', fragment] of links) {
        const target = path === '' ? page : join(dirname(page), path)
        assert.ok(existsSync(target), link)
        if (fragment !== undefined) assert.ok((await headingsOf(target)).has(fragment), link)
      }
    })
})

describe('the commands of the documentation', () => {
  const cleanup = createCleanup()
  let address: string
  let dataDir: string
  let folder: string

  before(async () => {
    dataDir = await temporaryFolder(cleanup)
    const gateway = await startProcess({ DATA_DIR: dataDir, SANDBOX_RENDER_SECONDS: '0', POLL_MAX_MS: '100' })
    cleanup.add(() => stopProcess(gateway))
    address = gateway.address
  })
  after(() => cleanup.run())

  const local = (text: string) => text.replaceAll('http://127.0.0.1:3000', address)

  async function shell(script: string): Promise<string> {
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', local(script)], { cwd: folder })
    return stdout
  }

  async function node(script: string): Promise<string> {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', local(script)])
    return stdout
  }

  async function downloaded(): Promise<string> {
    const file = await open(join(folder, 'boat.mp4'))
    const { buffer } = await file.read(Buffer.alloc(8), 0, 8, 0).finally(() => file.close())
    return buffer.toString('latin1', 4)
  }

  it('README: the first job ends with a video', async () => {
    folder = await temporaryFolder(cleanup)
    const [submit = '', status = '', download = ''] = blocks(readme, 'First job', 'sh')
    const poll = `until ${status.trim()} | grep '"COMPLETED"'; do sleep 0.2; done`
    assert.match(await shell(`${submit}\n${poll}\n${download}`), /^vid_[0-9a-f]{32}\n.*"sandbox":true/)
    assert.equal(await downloaded(), 'ftyp')
  })
  it('README: the OpenAI SDK', async () => {
    const [example = ''] = blocks(readme, 'Point a client at it', 'js')
    assert.match(await node(example), /^vid_[0-9a-f]{32} queued\n$/)
  })
  it('docs/clients.md: curl', async () => {
    folder = await temporaryFolder(cleanup)
    assert.match(await shell(blocks(clients, 'curl', 'sh').join('\n')), /"status":"completed"/)
    assert.equal(await downloaded(), 'ftyp')
  })
  it('docs/clients.md: JavaScript', async () => {
    assert.match(await node(blocks(clients, 'JavaScript', 'js').join('\n')), /^COMPLETED http:\S+\.mp4\n$/)
  })
  it('docs/clients.md: OpenAI SDK', async () => {
    folder = await temporaryFolder(cleanup)
    const [example = ''] = blocks(clients, 'OpenAI SDK', 'js')
    assert.equal(await node(example.replace("'boat.mp4'", `'${folder}/boat.mp4'`)), 'completed\n')
    assert.equal(await downloaded(), 'ftyp')
  })
  // The last one: from now on every request needs a key.
  it('README: the first API key', async () => {
    const [, args = ''] = /^docker compose exec api node (.+)$/m.exec(readme) ?? []
    // Not by way of npm, which would read a developer's .env and create the key in their Redis.
    const env = environment({ DATA_DIR: dataDir })
    const { stdout } = await run(process.execPath, args.split(' '), { env })
    const [key = ''] = /^sk-reelgate-\S+/m.exec(stdout) ?? []
    assert.equal((await fetch(`${address}/api/jobs`)).status, 401)
    assert.equal((await fetch(`${address}/api/jobs`, { headers: { 'x-api-key': key } })).status, 200)
  })
})

/** The code blocks of one language below a heading. */
function blocks(text: string, heading: string, language: string): string[] {
  const [, section = ''] = text.split(`\n## ${heading}\n`)
  const [own = ''] = section.split('\n## ')
  return [...own.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, code = '']) => code,
  )
}

/** The headings of a page as GitHub links to them. */
async function headingsOf(page: string): Promise<Set<string>> {
  const headings = (await readFile(page, 'utf8')).matchAll(/^#+ (.+)$/gm)
  return new Set(
    [...headings].map(
      ([, heading = '']) =>
        `#${heading
          .toLowerCase()
          .replace(/[^\w\- ]/g, '')
          .replaceAll(' ', '-')}`,
    ),
  )
}
