import { Redis } from 'ioredis'
import { request } from 'undici'
import { openAiBody, submitBody } from './bodies.ts'
import type { Shot } from './load.ts'
import type { Report } from './report.ts'
import {
  folder,
  masterKey,
  type Server,
  startGateway,
  startLitellm,
  startNginx,
  startPortkey,
  startRedis,
  startRoute,
  startStub,
  upstreamIs,
} from './servers.ts'

export type Contestant = { name: string; server: Server; submit: Shot; status: (id: string) => Shot }

export type Field = Awaited<ReturnType<typeof openField>>

const json = { 'content-type': 'application/json' }

/** The stub, and everybody who stands before it. */
export async function openField(report: Report) {
  const stub = await startStub()
  const files = folder()
  const route = await startRoute()
  const others: Contestant[] = []

  function openAi(name: string, server: Server | string, headers: Record<string, string>): void {
    if (typeof server === 'string') report.missing(name, server)
    else
      others.push({
        name,
        server,
        submit: {
          method: 'POST',
          url: `${server.url}/v1/videos`,
          headers: { ...json, ...headers },
          body: openAiBody,
        },
        status: (id) => ({ method: 'GET', url: `${server.url}/v1/videos/${id}`, headers }),
      })
  }

  const throughPortkey = {
    authorization: 'Bearer sk-stub',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${stub.url}/v1`,
  }
  openAi('Portkey', await startPortkey(), throughPortkey)
  openAi('LiteLLM', await startLitellm(stub), { authorization: `Bearer ${masterKey}` })
  openAi('nginx', await startNginx(stub, files), {})
  openAi('the stub itself', stub, {})
  const redis = await startRedis()
  const commands = new Redis(redis.url)

  return {
    stub,
    /** What nginx serves below /static. */
    files,
    redis,
    commands,
    route,
    others,
    async settle(settings: Record<string, number>): Promise<void> {
      await request(`${stub.url}/stub`, { method: 'PUT', body: JSON.stringify(settings) }).then(({ body }) =>
        body.dump(),
      )
    },
    /** A gateway on the field's Redis, which is emptied before. */
    async gateway(env: Record<string, string> = {}): Promise<Server> {
      await commands.flushall()
      return startGateway({ REDIS_URL: redis.url, ...upstreamIs(stub), ...env })
    },
    find: (name: string) => others.find((one) => one.name === name),
    async close(): Promise<void> {
      commands.disconnect()
      for (const { server } of others) await server.child.stop('SIGKILL')
      await Promise.all([
        route.child.stop('SIGKILL'),
        stub.child.stop('SIGKILL'),
        redis.child.stop('SIGKILL'),
      ])
    },
  }
}

export function submitTo({ url }: Server, body = submitBody, headers: Record<string, string> = {}): Shot {
  return { method: 'POST', url: `${url}/api/generate-video`, headers: { ...json, ...headers }, body }
}

export async function ask({ method, url, headers, body }: Shot): Promise<{ status: number; text: string }> {
  const answer = await request(url, { method, headers: headers ?? {}, body: body ?? null })
  return { status: answer.statusCode, text: await answer.body.text() }
}

/** The id in whatever a submit is answered. */
export async function submitted(shot: Shot): Promise<string> {
  const { status, text } = await ask(shot)
  const { id } = JSON.parse(text) as { id?: string }
  if (status >= 300 || id === undefined)
    throw new Error(`${shot.url} answers ${status}: ${text.slice(0, 300)}`)
  return id
}
