import { readFileSync } from 'node:fs'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Provider, ProviderName } from '../../providers/provider.ts'
import { findModel } from '../catalogue/models/index.ts'

const OverridesFile = Type.Record(
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
export type UpstreamOverrides = Static<typeof OverridesFile>

/** Thrown at startup. Names the file and everything in it that is invalid. */
class InvalidOverrides extends Error {
  override name = 'InvalidOverrides'
}

/** Reads the file of UPSTREAM_OVERRIDES_FILE. Throws if it names an unknown model, upstream or endpoint. */
export function readOverrides(
  path: string,
  providers: Readonly<Record<ProviderName, Provider>>,
): UpstreamOverrides {
  const content = parse(path)
  const shapeProblems = [...Value.Errors(OverridesFile, content)].map(
    ({ path: at, message }) => `${at || '/'}: ${message}`,
  )
  const problems =
    shapeProblems.length > 0 ? shapeProblems : findUnknownNames(content as UpstreamOverrides, providers)
  if (problems.length > 0) {
    throw new InvalidOverrides(
      `Invalid upstream overrides file ${path}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    )
  }
  return content as UpstreamOverrides
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new InvalidOverrides(
      `Upstream overrides file ${path} not readable: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  }
}

function findUnknownNames(
  overrides: UpstreamOverrides,
  providers: Readonly<Record<string, Provider>>,
): string[] {
  return Object.entries(overrides).flatMap(([model, entries]) => {
    if (findModel(model) === undefined) return [`/${model}: unknown model`]
    const renderers = Object.values(providers).filter(({ models }) => models[model] !== undefined)
    return entries.flatMap(({ provider, endpoints }, index) => {
      const mapping = renderers.find(({ name }) => name === provider)?.models[model]
      if (mapping === undefined) {
        return [
          `/${model}/${index}/provider: ${provider} does not render this model; use ${renderers.map(({ name }) => name).join(', ')}`,
        ]
      }
      return Object.keys(endpoints ?? {})
        .filter((variant) => mapping.endpoints[variant] === undefined)
        .map(
          (variant) =>
            `/${model}/${index}/endpoints/${variant}: unknown mode for ${provider}; use ${Object.keys(mapping.endpoints).join(', ')}`,
        )
    })
  })
}
