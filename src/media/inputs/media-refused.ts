/** Thrown for media that a caller may not bring. The message is for the caller and names the field. */
export class MediaRefused extends Error {
  override name = 'MediaRefused'
  readonly reason: 'invalid' | 'too_large'
  readonly field: string

  constructor(reason: 'invalid' | 'too_large', field: string, message: string) {
    super(`\`${field}\` ${message}`)
    this.reason = reason
    this.field = field
  }
}
