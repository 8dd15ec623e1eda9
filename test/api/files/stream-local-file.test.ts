import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type FileHandle, open, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { streamLocalFile } from '../../../src/api/files/stream-local-file.ts'
import { createCleanup, temporaryFolder } from '../../support/setup.ts'

const content = randomBytes(3_000_000)

describe('streaming a local file through one buffer', () => {
  const cleanup = createCleanup()
  const opened: FileHandle[] = []
  let address: URL

  before(async () => {
    const path = join(await temporaryFolder(cleanup), 'file')
    await writeFile(path, content)
    const server = createServer(async (request, response) => {
      const [start = 0, end = 0, promised = end - start + 1] = (request.url ?? '')
        .slice(1)
        .split('-')
        .map(Number)
      const file = await open(path, 'r')
      opened.push(file)
      response.writeHead(200, { 'content-length': promised })
      await streamLocalFile(file, { start, end }, response)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const at = server.address()
    address = new URL(`http://127.0.0.1:${typeof at === 'object' ? at?.port : ''}`)
    cleanup.add(() => server.close())
  })
  after(() => cleanup.run())

  const allClosed = async () => {
    while (opened.some(({ fd }) => fd !== -1)) await sleep(5)
  }

  it('sends each of many concurrent downloads its own bytes', async () => {
    const ranges = Array.from({ length: 40 }, (_, index) => [index * 1000, 2_999_999 - index * 7] as const)
    await Promise.all(
      ranges.map(async ([start, end]) => {
        const reply = await fetch(new URL(`/${start}-${end}`, address))
        const got = Buffer.from(await reply.arrayBuffer())
        assert.ok(got.equals(content.subarray(start, end + 1)), `${start} to ${end}`)
      }),
    )
    await allClosed()
  })

  it('closes the connection if the file ends too early', async () => {
    const reply = await fetch(new URL(`/0-5999999`, address))
    await assert.rejects(reply.arrayBuffer())
    await allClosed()
  })

  it('closes the file when the client disconnects', async () => {
    const before = opened.length
    const socket = connect(Number(address.port), '127.0.0.1')
    socket.pause()
    socket.write(`GET /0-2999999 HTTP/1.1\r\nhost: x\r\n\r\n`)
    while (opened.length === before) await sleep(5)
    socket.destroy()
    await allClosed()
  })
})
