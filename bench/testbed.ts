import { Redis } from 'ioredis'
import { request } from 'undici'
import { openAiBody, submitBody } from './bodies.ts'
import type { RequestSpec } from './load.ts'
import type { Report } from './report.ts'
import {
  createFolder,
  litellmMasterKey,
  type Server,
  startBareRoute,
  startGateway,
  startLitellm,
  startNginx,
  startPortkey,
  startRedis,
  startStub,
  upstreamSettings,
} from './servers.ts'

export type Contestant = {
  name: string
  server: Server
  submit: RequestSpec
  status: (id: string) => RequestSpec
}

export type Testbed = Awaited<ReturnType<typeof startTestbed>>

const jsonHeaders = { 'content-type': 'application/json' }

/** The stub, and everybody who stands before it. */
export async function startTestbed(report: Report) {
  const stub = await startStub()
  const files = createFolder()
  const route = await startBareRoute()
  const peers: Contestant[] = []

  function addPeer(name: string, server: Server | string, headers: Record<string, string>): void {
    if (typeof server === 'string') report.missing(name, server)
    else
      peers.push({
        name,
        server,
        submit: {
          method: 'POST',
          url: `${server.url}/v1/videos`,
          headers: { ...jsonHeaders, ...headers },
          body: openAiBody,
        },
        status: (id) => ({ method: 'GET', url: `${server.url}/v1/videos/${id}`, headers }),
      })
  }

  const portkeyHeaders = {
    authorization: 'Bearer sk-stub',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${stub.url}/v1`,
  }
  addPeer('Portkey', await startPortkey(), portkeyHeaders)
  addPeer('LiteLLM', await startLitellm(stub), { authorization: `Bearer ${litellmMasterKey}` })
  addPeer('nginx', await startNginx(stub, files), {})
  addPeer('the stub itself', stub, {})
  const redis = await startRedis()
  const commands = new Redis(redis.url)

  return {
    stub,
    /** What nginx serves below /static. */
    files,
    redis,
    commands,
    route,
    others: peers,
    async configureStub(settings: Record<string, number>): Promise<void> {
      await request(`${stub.url}/stub`, { method: 'PUT', body: JSON.stringify(settings) }).then(({ body }) =>
        body.dump(),
      )
    },
    /** A gateway on the field's Redis, which is emptied before. */
    async gateway(env: Record<string, string> = {}): Promise<Server> {
      await commands.flushall()
      return startGateway({ REDIS_URL: redis.url, ...upstreamSettings(stub), ...env })
    },
    findPeer: (name: string) => peers.find((peer) => peer.name === name),
    async close(): Promise<void> {
      commands.disconnect()
      for (const { server } of peers) await server.child.stop('SIGKILL')
      await Promise.all([
        route.child.stop('SIGKILL'),
        stub.child.stop('SIGKILL'),
        redis.child.stop('SIGKILL'),
      ])
    },
  }
}

export function createSubmit(
  { url }: Server,
  body = submitBody,
  headers: Record<string, string> = {},
): RequestSpec {
  return { method: 'POST', url: `${url}/api/generate-video`, headers: { ...jsonHeaders, ...headers }, body }
}

export async function sendRequest({
  method,
  url,
  headers,
  body,
}: RequestSpec): Promise<{ status: number; text: string }> {
  const response = await request(url, { method, headers: headers ?? {}, body: body ?? null })
  return { status: response.statusCode, text: await response.body.text() }
}

/** The id in whatever a submit is answered. */
export async function submitJob(shot: RequestSpec): Promise<string> {
  const { status, text } = await sendRequest(shot)
  const { id } = JSON.parse(text) as { id?: string }
  if (status >= 300 || id === undefined)
    throw new Error(`${shot.url} answers ${status}: ${text.slice(0, 300)}`)
  return id
}
