import type { Writable } from 'node:stream'
import type { BodyBudgetLimits } from '../../config/request-limits.ts'
import { ApiError } from '../errors.ts'

/** The share of one request. Both `add` methods throw 503 when the budget is exhausted. */
export type Reservation = {
  addMemory(bytes: number): void
  addBody(bytes: number): void
  release(): void
}

export type BodyBudget = ReturnType<typeof createBodyBudget>

/** Limits the memory and the size of all request bodies together. */
export function createBodyBudget({ memoryBytes, totalBytes }: BodyBudgetLimits) {
  let memoryInUse = 0
  let totalInUse = 0

  return {
    inUse: () => ({ memoryBytes: memoryInUse, totalBytes: totalInUse }),

    reserve(): Reservation {
      let reservedMemoryBytes = 0
      let reservedBodyBytes = 0
      return {
        addMemory(bytes) {
          if (memoryInUse + bytes > memoryBytes) throw budgetExceededError()
          memoryInUse += bytes
          reservedMemoryBytes += bytes
        },
        addBody(bytes) {
          if (totalInUse + bytes > totalBytes) throw budgetExceededError()
          totalInUse += bytes
          reservedBodyBytes += bytes
        },
        release() {
          memoryInUse -= reservedMemoryBytes
          totalInUse -= reservedBodyBytes
          reservedMemoryBytes = 0
          reservedBodyBytes = 0
        },
      }
    },
  }
}

/** Releases once the reply has been sent or its connection closed. */
export function releaseAfter(reply: Writable, { release }: Reservation): void {
  if (reply.closed) release()
  else reply.once('close', release)
}

function budgetExceededError(): ApiError {
  const headers = { 'Retry-After': '1' }
  return new ApiError('service_unavailable', 'Too many request bodies are being read at once; try again', {
    headers,
  })
}
