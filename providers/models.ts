import type { Field, Input, JsonObject } from './input.ts'
import type { EndpointMapping } from './provider.ts'

type ToBody = (input: Input) => JsonObject

/** One endpoint for every input. `variant`: the name under which an operator may replace it. */
export function oneEndpoint(variant: string, endpoint: string, toBody: ToBody): EndpointMapping {
  return {
    endpoints: { [variant]: endpoint },
    toRequest: (input) => ({ endpoint: variant, body: toBody(input) }),
  }
}

/** Two endpoints: an image in the input selects the second one. */
export function textOrImage(text: string, image: string, toBody: ToBody): EndpointMapping {
  return {
    endpoints: { text, image },
    toRequest: (input) => ({
      endpoint: input.image === undefined ? 'text' : 'image',
      body: toBody(input),
    }),
  }
}

/** The upstream's endpoint or model ID for an input, as the operator may have replaced it, and the body of the call. */
export function resolveEndpoint(
  mapping: EndpointMapping,
  input: Input,
): { endpoint: string; body: JsonObject } {
  const { endpoint, body } = mapping.toRequest(input)
  return { endpoint: mapping.endpoints[endpoint] ?? endpoint, body }
}

/** The named fields that are set, under their own names. */
export function pick(input: Input, ...names: readonly Field[]): JsonObject {
  return Object.fromEntries(
    names.filter((name) => input[name] !== undefined).map((name) => [name, input[name]]),
  )
}

/** The members that are set. */
export function withoutUndefined(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
}
