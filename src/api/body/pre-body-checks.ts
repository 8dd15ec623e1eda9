import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import type { ApiDeps } from '../deps.ts'
import { smallBodyBytes } from './read-json.ts'

type Deps = Pick<ApiDeps, 'storage' | 'billing'>

/**
 * Hooks that reject a request before its files arrive, where that is possible. They run after authentication. Small bodies pass: nothing of them
 * is stored before the whole request has been checked.
 */
export function createPreBodyChecks({ storage, billing }: Deps) {
  async function checkSubmit({ headers, owner }: FastifyRequest): Promise<void> {
    await storage.requireSpace()
    const fault = storage.fault()
    if (fault !== undefined) throw fault
    // A repeated request gets the first response, whatever the balance is now.
    if (headers['idempotency-key'] === undefined) await billing.check(owner)
  }

  return { forSubmit: createHook(checkSubmit), forUpload: createHook(() => storage.requireSpace()) }
}

/** Synchronous for small bodies: a promise would cost every request a turn of the microtask queue. */
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
