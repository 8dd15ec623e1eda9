import { readFileSync } from 'node:fs'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Provider, ProviderName } from '../../providers/provider.ts'
import { findModel } from '../catalogue/index.ts'

const OffersFile = Type.Record(
  Type.String(),
  Type.Array(
    Type.Object(
      {
        provider: Type.String(),
        enabled: Type.Optional(Type.Boolean()),
        endpoints: Type.Optional(Type.Record(Type.String(), Type.String({ minLength: 1 }))),
      },
      { additionalProperties: false },
    ),
  ),
)

/** Model id -> what the operator says of its offers, best first. */
export type Overrides = Static<typeof OffersFile>

/** Thrown at the start; names the file and every place in it that cannot be used. */
class OffersFileError extends Error {
  override name = 'OffersFileError'
}

/** Reads the operator's changes to the offers and holds them against the models and upstreams there are. */
export function readOverrides(path: string, providers: Readonly<Record<ProviderName, Provider>>): Overrides {
  const content = parse(path)
  const shape = [...Value.Errors(OffersFile, content)].map(
    ({ path: at, message }) => `${at || '/'}: ${message}`,
  )
  const problems = shape.length > 0 ? shape : unknownNames(content as Overrides, providers)
  if (problems.length > 0) {
    throw new OffersFileError(
      `The offers file ${path} cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    )
  }
  return content as Overrides
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new OffersFileError(
      `The offers file ${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  }
}

function unknownNames(overrides: Overrides, providers: Readonly<Record<string, Provider>>): string[] {
  return Object.entries(overrides).flatMap(([model, entries]) => {
    if (findModel(model) === undefined) return [`/${model}: there is no such model`]
    const able = Object.values(providers).filter(({ offers }) => offers[model] !== undefined)
    return entries.flatMap(({ provider, endpoints }, index) => {
      const offer = able.find(({ name }) => name === provider)?.offers[model]
      if (offer === undefined) {
        return [
          `/${model}/${index}/provider: ${provider} does not render this model; one of ${able.map(({ name }) => name).join(', ')} does`,
        ]
      }
      return Object.keys(endpoints ?? {})
        .filter((variant) => offer.endpoints[variant] === undefined)
        .map(
          (variant) =>
            `/${model}/${index}/endpoints/${variant}: ${provider} knows ${Object.keys(offer.endpoints).join(', ')} here`,
        )
    })
  })
}
