import type { Input, JsonObject } from '../../input.ts'
import type { Offer } from '../../provider.ts'

/** Two endpoints of one family: an image decides between them. */
export function textOrImage(
  text: string,
  image: string,
  body: { text(input: Input): JsonObject; image(input: Input): JsonObject },
): Offer {
  return {
    endpoints: { text, image },
    translate: (input) =>
      input.image === undefined
        ? { endpoint: 'text', body: { prompt: input.prompt, ...body.text(input) } }
        : { endpoint: 'image', body: { ...pictured(input), ...body.image(input) } },
  }
}

/** A family with one endpoint, which needs an image. */
export function imageOnly(endpoint: string, body: (input: Input) => JsonObject): Offer {
  return {
    endpoints: { image: endpoint },
    translate: (input) => ({ endpoint: 'image', body: { ...pictured(input), ...body(input) } }),
  }
}

/** FAL requires a prompt on every endpoint, an image or not; an empty one passes. */
function pictured(input: Input): JsonObject {
  return { prompt: input.prompt ?? '', image_url: input.image }
}

/** Most families take whole seconds as text. */
export function seconds(input: Input): string | undefined {
  return input.duration === undefined ? undefined : String(input.duration)
}

/** Without a ratio of its own, a video takes the picture's. */
export function ratioOfPicture(input: Input): string {
  return input.aspect_ratio ?? 'auto'
}
