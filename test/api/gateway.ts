import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { anonymousAccess } from '../../src/accounts/access.ts'
import { priceJob } from '../../src/accounts/job-price.ts'
import { type ApiDeps, createApp } from '../../src/api/server.ts'
import { createUploadBuffer } from '../../src/media/inputs/upload-buffer.ts'
import { createTempDir } from '../../src/media/storage/temp-dir.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { findUrlProblem } from '../../src/webhooks/webhook-url.ts'
import { createMemoryEngine, type MemoryEngine } from './memory-engine.ts'

const noLibrary: ApiDeps['library'] = {
  find: async () => undefined,
  add: async () => assert.fail('there is no library in this test'),
  list: async () => [],
  open: async () => assert.fail('there is no library in this test'),
  remove: async () => false,
  exists: async () => false,
}

const noFiles: ApiDeps['files'] = {
  video: async () => undefined,
  createThumbnail: async () => undefined,
  findThumbnail: async () => undefined,
  input: async () => undefined,
  fetchExternal: async () => assert.fail('there are no other servers in this test'),
  remove: async () => undefined,
}

const noWebhooks: ApiDeps['webhooks'] = {
  findUrlProblem: (url) => findUrlProblem(url, { allowPrivateNetworks: false }),
  readSecret: async () => 'whsec_test',
  rotateSecret: async () => 'whsec_test',
  readDefaultUrl: async () => undefined,
  setDefaultUrl: async () => undefined,
  readDelivery: async () => ({ state: 'none', log: [] }),
  replay: async () => false,
}

type Changes = Partial<Omit<ApiDeps, 'engine' | 'logger'>>

export type Gateway = { app: FastifyInstance; engine: MemoryEngine; logged: Record<string, unknown>[] }

/** An app for one test, closed with it. */
export async function startGateway(t: TestContext, changes: Changes = {}): Promise<Gateway> {
  const engine = createMemoryEngine()
  const logged: Record<string, unknown>[] = []
  const logger = createLogger({ level: 'debug' }, { write: (line: string) => logged.push(JSON.parse(line)) })
  const dir = await mkdtemp(join(tmpdir(), 'reelgate-'))
  const app = await createApp({
    config: { bodyLimitBytes: 1024 * 1024 },
    routing: everythingOnFal,
    media: { storeInput: async (input) => ({ input, discard: async () => undefined }) },
    uploadBuffer: createUploadBuffer({
      tempDir: await createTempDir(dir),
      limits: { image: 1e7, video: 1e7, audio: 1e7 },
    }),
    library: noLibrary,
    files: noFiles,
    storage: { fault: () => undefined, requireSpace: async () => undefined },
    authenticator: anonymousAccess,
    billing: freeMoney,
    rateLimits: { namespace: '', submit: 1000, recover: 1000, extend: 1000, library: 1000 },
    webhooks: noWebhooks,
    receiveCallback: async () => false,
    isCallbackAddress: async () => false,
    isReady: async () => true,
    ...changes,
    engine,
    logger,
  })
  t.after(async () => {
    await app.close()
    await rm(dir, { recursive: true })
  })
  return { app, engine, logged }
}

/** No limits, and the prices of the catalogue. */
export const freeMoney: ApiDeps['billing'] = {
  balanceUsd: async () => undefined,
  usage: async () => [],
  check: async () => undefined,
  price: (model, input) => priceJob(model, input, 0),
  markupPercent: 0,
}

export const everythingOnFal: ApiDeps['routing'] = {
  listUpstreams: () => ['fal'],
  isAvailable: () => true,
  rejectionMessage: () => undefined,
  adjustSeed: () => undefined,
  describeMissingVariables: () => ['FAL_KEY'],
  sandbox: false,
}

/** Accounts of two people: the key `alice-secret-key` and the key `bobby-secret-key`. */
export const twoPeople: ApiDeps['authenticator'] = {
  identify: async (key) => {
    const owner = /^(alice|bobby)-secret-key$/.exec(key ?? '')?.[1]
    return owner === undefined ? undefined : { owner }
  },
  readAccessMode: () => 'keys',
}

export const asAlice = { 'x-api-key': 'alice-secret-key' }
export const asBobby = { 'x-api-key': 'bobby-secret-key' }

/** The smallest request of a text-to-video model. */
export const plainBody = { model: 'veo2-video', prompt: 'a red fox in the snow' }

/** Submits a job and returns its ID. */
export async function submitted(app: FastifyInstance, options: Partial<InjectOptions> = {}): Promise<string> {
  const reply = await app.inject({
    method: 'POST',
    url: '/api/generate-video',
    payload: plainBody,
    ...options,
  })
  return reply.json().runId
}
