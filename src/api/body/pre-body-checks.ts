import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import type { ApiDeps } from '../deps.ts'
import { smallBodyBytes } from './read-json.ts'

type Deps = Pick<ApiDeps, 'storage' | 'billing'>

/**
 * Hooks that refuse a request before its files arrive, as far as that can be known. They come after the one that identifies. Small
 * bodies pass: nothing is stored of them before the whole request has been checked.
 */
export function createPreBodyChecks({ storage, billing }: Deps) {
  async function checkSubmit({ headers, owner }: FastifyRequest): Promise<void> {
    await storage.requireSpace()
    const fault = storage.fault()
    if (fault !== undefined) throw fault
    // A repetition gets its first answer, whatever has become of the account.
    if (headers['idempotency-key'] === undefined) await billing.check(owner)
  }

  return { forSubmit: createHook(checkSubmit), forUpload: createHook(() => storage.requireSpace()) }
}

/** A hook that waits for nothing costs no turn of the queue of promises. */
function createHook(check: (request: FastifyRequest) => Promise<void>): onRequestHookHandler {
  return (request, _reply, done) => {
    if (mayContainFiles(request)) check(request).then(() => done(), done)
    else done()
  }
}

function mayContainFiles({ headers, method }: FastifyRequest): boolean {
  if (method !== 'POST') return false
  const { 'content-length': length, 'transfer-encoding': encoding, 'content-type': type = '' } = headers
  if (length === undefined) return encoding !== undefined
  return Number(length) >= smallBodyBytes || /^multipart\//i.test(type)
}
