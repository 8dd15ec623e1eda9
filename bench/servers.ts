import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { redisServerArguments } from '../src/redis/launch.ts'
import { type Child, freePort, start } from './child.ts'
import { installLitellm, installNginx, installPortkey } from './peers.ts'

export type Server = { url: string; child: Child }

const projectRoot = join(import.meta.dirname, '..')
export const litellmMasterKey = 'sk-bench-0123456789abcdef0123456789abcdef'

/** As `npm start` does. */
const compileCache = join(projectRoot, 'node_modules/.cache/node')

const folders: string[] = []

export function createFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'reelgate-bench-'))
  folders.push(path)
  return path
}

export function removeFolders(): void {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true })
}

async function startScript(
  name: string,
  env: Record<string, string> = {},
  core: 'server' | 'load' = 'server',
): Promise<Server> {
  const child = start(process.execPath, [join(import.meta.dirname, name)], { core, env })
  const [, url = ''] = await child.waitForOutput(/answers on (\S+)/)
  return { url, child }
}

export const startStub = (env: Record<string, string> = {}) => startScript('stub.ts', env, 'load')
export const startBareRoute = () => startScript('route.ts')

/** With the settings that the gateway gives its own. */
export async function startRedis(): Promise<{ url: string; child: Child }> {
  const home = createFolder()
  const socket = join(home, 'redis.sock')
  const child = start('redis-server', redisServerArguments({ home, socket }), { core: 'load' })
  await child.waitForOutput(/Ready to accept connections|ready to accept connections/)
  return { url: socket, child }
}

export async function startGateway(
  env: Record<string, string>,
  nodeArgs: readonly string[] = [],
): Promise<Server> {
  const child = startMain(env, nodeArgs)
  const [, url = ''] = await child.waitForOutput(/Listening on (\S+)/)
  return { url, child }
}

/** It says nothing when it is ready, and answers no more than whether it lives. */
export async function startWorker(env: Record<string, string>): Promise<Server> {
  const port = await freePort()
  const child = startMain({ ...env, ROLE: 'worker', PORT: String(port) })
  const server = await waitUntilReady({ url: `http://127.0.0.1:${port}`, child }, '/health')
  if (typeof server === 'string') throw new Error(`the worker ${server}`)
  return server
}

function startMain(env: Record<string, string>, nodeArgs: readonly string[] = []): Child {
  return start(process.execPath, [...nodeArgs, join(projectRoot, 'src/main.ts')], {
    core: 'server',
    cwd: projectRoot,
    env: { PORT: '0', LOG_LEVEL: 'warn', NODE_COMPILE_CACHE: compileCache, DATA_DIR: createFolder(), ...env },
  })
}

/** What makes the stub the gateway's FAL. */
export function upstreamSettings(stub: Server): Record<string, string> {
  return { SANDBOX: 'off', FAL_KEY: 'stub', FAL_BASE_URL: stub.url, FAL_STORAGE_BASE_URL: stub.url }
}

export async function startPortkey(): Promise<Server | string> {
  const peer = installPortkey()
  if ('missing' in peer) return peer.missing
  const port = await freePort()
  const child = start(process.execPath, [peer.program, `--port=${port}`, '--headless'], { core: 'server' })
  return waitUntilReady({ url: `http://127.0.0.1:${port}`, child }, '/')
}

export async function startLitellm(stub: Server): Promise<Server | string> {
  const peer = installLitellm()
  if ('missing' in peer) return peer.missing
  const port = await freePort()
  const config = join(createFolder(), 'litellm.json')
  const model = { model: 'openai/sora-2', api_base: `${stub.url}/v1`, api_key: 'sk-stub' }
  writeFileSync(config, JSON.stringify({ model_list: [{ model_name: 'sora-2', litellm_params: model }] }))
  const child = start(
    peer.program,
    ['--config', config, '--host', '127.0.0.1', '--port', String(port), '--telemetry', 'False'],
    {
      core: 'server',
      env: {
        LITELLM_MASTER_KEY: litellmMasterKey,
        LITELLM_LOCAL_MODEL_COST_MAP: 'True',
        LITELLM_LOG: 'ERROR',
      },
    },
  )
  return waitUntilReady({ url: `http://127.0.0.1:${port}`, child }, '/health/liveliness')
}

/** One worker that passes everything on to the stub, or serves `files` itself below `/static`. */
export async function startNginx(stub: Server, files: string): Promise<Server | string> {
  const peer = installNginx()
  if ('missing' in peer) return peer.missing
  const port = await freePort()
  const home = createFolder()
  const config = join(home, 'nginx.conf')
  writeFileSync(
    config,
    `daemon off; master_process off; pid ${home}/pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; client_max_body_size 100m; keepalive_requests 1000000000;
  client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy; fastcgi_temp_path ${home}/f; uwsgi_temp_path ${home}/u; scgi_temp_path ${home}/s;
  upstream stub { server ${stub.url.slice('http://'.length)}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location /static/ { alias ${files}/; }
    location / { proxy_pass http://stub; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_max_temp_file_size 0; }
  }
}`,
  )
  const child = start(peer.program, ['-p', home, '-c', config], { core: 'server' })
  return waitUntilReady({ url: `http://127.0.0.1:${port}`, child }, '/stub')
}

async function waitUntilReady(server: Server, path: string): Promise<Server | string> {
  for (let tries = 0; tries < 600; tries++) {
    const response = await request(server.url + path).catch(() => undefined)
    await response?.body.dump()
    if (response !== undefined && response.statusCode < 500) return server
    const exitCode = await Promise.race([server.child.ended, sleep(200, 'alive')])
    if (exitCode !== 'alive') break
  }
  await server.child.stop('SIGKILL')
  return `did not start: ${server.child.output().trim().split('\n').at(-1)?.slice(0, 200)}`
}
