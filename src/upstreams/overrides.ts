import { readFileSync } from 'node:fs'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Provider, ProviderName } from '../../providers/provider.ts'
import { findModel } from '../catalogue/models/index.ts'

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

/** By model ID: the upstreams that the operator prefers, best first. */
export type UpstreamOverrides = Static<typeof OffersFile>

/** Thrown at the start; names the file and every place in it that cannot be used. */
class OffersFileError extends Error {
  override name = 'OffersFileError'
}

/** Reads the file of OFFERS_FILE. Throws if it names an unknown model, upstream or endpoint. */
export function readOverrides(
  path: string,
  providers: Readonly<Record<ProviderName, Provider>>,
): UpstreamOverrides {
  const content = parse(path)
  const shapeProblems = [...Value.Errors(OffersFile, content)].map(
    ({ path: at, message }) => `${at || '/'}: ${message}`,
  )
  const problems =
    shapeProblems.length > 0 ? shapeProblems : findUnknownNames(content as UpstreamOverrides, providers)
  if (problems.length > 0) {
    throw new OffersFileError(
      `The offers file ${path} cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    )
  }
  return content as UpstreamOverrides
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

function findUnknownNames(
  overrides: UpstreamOverrides,
  providers: Readonly<Record<string, Provider>>,
): string[] {
  return Object.entries(overrides).flatMap(([model, entries]) => {
    if (findModel(model) === undefined) return [`/${model}: there is no such model`]
    const renderers = Object.values(providers).filter(({ models }) => models[model] !== undefined)
    return entries.flatMap(({ provider, endpoints }, index) => {
      const mapping = renderers.find(({ name }) => name === provider)?.models[model]
      if (mapping === undefined) {
        return [
          `/${model}/${index}/provider: ${provider} does not render this model; one of ${renderers.map(({ name }) => name).join(', ')} does`,
        ]
      }
      return Object.keys(endpoints ?? {})
        .filter((variant) => mapping.endpoints[variant] === undefined)
        .map(
          (variant) =>
            `/${model}/${index}/endpoints/${variant}: ${provider} knows ${Object.keys(mapping.endpoints).join(', ')} here`,
        )
    })
  })
}
