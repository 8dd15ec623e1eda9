import type { FaultCode } from '../fault.ts'

/** Clients tell a content refusal by these words in its text, and ByteDance uses none of them. */
export function worded(code: FaultCode, message: string): string {
  const plain = code !== 'content_policy' || /policy|nsfw|safety|moderation|flagged/i.test(message)
  return plain ? message : `Content policy: ${message}`
}
