/**
 * Numbers of a request body that JavaScript cannot hold exactly (above 2^53), as the client wrote them, by their key in the body object.
 * A symbol, so that copies of the body (`{ ...body }`) keep it and nothing else sees it.
 */
export const sentNumbers = Symbol('numbers as sent')

/** How an error quotes the number that a body has under a name. */
export function numberAsSent(body: unknown, name: string, value: number): string {
  const sent: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, sentNumbers) : undefined
  const source = sent instanceof Map ? sent.get(name) : undefined
  return typeof source === 'string' ? source.slice(0, 60) : String(value)
}
