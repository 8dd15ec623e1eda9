/** Shorter texts of an input, such as the choice `auto`, are part of a message by chance. */
const minRepeatedCharacters = 6
/** Upstreams truncate long texts in their messages. */
const maxRepeatedCharacters = 20

/** Whether a message of an upstream contains a text of the client's input. */
export function repeatsInput(message: string, input: unknown): boolean {
  if (typeof input === 'object' && input !== null)
    return Object.values(input).some((value) => repeatsInput(message, value))
  if (typeof input !== 'string') return false
  const start = input.trim().toLowerCase().slice(0, maxRepeatedCharacters)
  return start.length >= minRepeatedCharacters && message.toLowerCase().includes(start)
}
