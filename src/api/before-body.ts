import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import { smallBytes } from './json-body.ts'
import type { AppParts } from './parts.ts'

type Deps = Pick<AppParts, 'storage' | 'money'>

/**
 * Hooks that refuse a request before its files arrive, as far as that can be known. They come after the one that identifies. Small
 * bodies pass: nothing is stored of them before the whole request has been checked.
 */
export function createBodyChecks({ storage, money }: Deps) {
  async function checkSubmit({ headers, owner }: FastifyRequest): Promise<void> {
    await storage.requireSpace()
    const fault = storage.fault()
    if (fault !== undefined) throw fault
    // A repetition gets its first answer, whatever has become of the account.
    if (headers['idempotency-key'] === undefined) await money.check(owner)
  }

  return { forSubmit: hook(checkSubmit), forUpload: hook(() => storage.requireSpace()) }
}

/** A hook that waits for nothing costs no turn of the queue of promises. */
function hook(check: (request: FastifyRequest) => Promise<void>): onRequestHookHandler {
  return (request, _reply, done) => {
    if (mayBringFiles(request)) check(request).then(() => done(), done)
    else done()
  }
}

function mayBringFiles({ headers, method }: FastifyRequest): boolean {
  if (method !== 'POST') return false
  const { 'content-length': length, 'transfer-encoding': encoding, 'content-type': type = '' } = headers
  if (length === undefined) return encoding !== undefined
  return Number(length) >= smallBytes || /^multipart\//i.test(type)
}
