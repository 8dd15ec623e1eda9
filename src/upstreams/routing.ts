import type { Rejection } from '../../providers/check.ts'
import type { Input } from '../../providers/input.ts'
import type { EndpointMapping, Provider, ProviderName } from '../../providers/provider.ts'
import { foldSeed } from '../../providers/seed.ts'
import {
  listMedia,
  parseStoredReference,
  toProviderMedia,
} from '../catalogue/media-values/stored-reference.ts'
import type { Model } from '../catalogue/model.ts'
import type { ProviderConfig } from '../config/provider-settings.ts'
import type { UpstreamOverrides } from './overrides.ts'

type RoutingOptions = {
  providers: Readonly<Record<ProviderName, Provider>>
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
  /** Whether upstreams can fetch files from this gateway. */
  canFetchLinks?: boolean
  /** The changes of UPSTREAM_OVERRIDES_FILE. */
  overrides?: UpstreamOverrides
}

/** Environment variables without which an upstream cannot be called for an endpoint. */
export function listMissingVariables(
  provider: Provider,
  mapping: EndpointMapping,
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>,
): string[] {
  const hostName = mapping.host ?? Object.keys(provider.hosts)[0] ?? ''
  const host = provider.hosts[hostName]
  const config = upstreams[provider.name]
  if (host === undefined) return []
  const unset = host.credentials.filter((name) => config.credentials[name] === undefined)
  return config.baseUrls[hostName] === undefined ? [host.baseUrlVariable, ...unset] : unset
}

export type Routing = ReturnType<typeof createRouting>

/** Selects upstreams for models and inputs, by the order of the catalogue, the available keys and the operator's overrides. */
export function createRouting({
  providers,
  upstreams,
  canFetchLinks = false,
  overrides = {},
}: RoutingOptions) {
  function find(
    model: Pick<Model, 'id'>,
    name: ProviderName,
  ): { provider: Provider; mapping: EndpointMapping } | undefined {
    const provider = providers[name]
    const mapping = provider.models[model.id]
    if (mapping === undefined) return undefined
    const endpoints = overrides[model.id]?.find((entry) => entry.provider === name)?.endpoints
    return {
      provider,
      mapping:
        endpoints === undefined ? mapping : { ...mapping, endpoints: { ...mapping.endpoints, ...endpoints } },
    }
  }

  /** Whether this upstream can receive every stored file of the input. */
  function canReceiveFiles(provider: Provider, mapping: EndpointMapping, input: Input): boolean {
    return listMedia(input).every(({ value, kind }) => {
      const reference = parseStoredReference(value)
      return (
        canFetchLinks ||
        reference === undefined ||
        provider.mediaTransfer(mapping, toProviderMedia(reference, kind), canFetchLinks) !== 'link'
      )
    })
  }

  /** Why this upstream cannot render the input: parts that it does not support, else parts that it would reject. */
  function findRejections(provider: Provider, mapping: EndpointMapping, input: Input): readonly Rejection[] {
    const message = mapping.unsupported?.(input)
    if (message !== undefined) return [{ message }]
    return provider.check?.(mapping, input, upstreams[provider.name].settings) ?? []
  }

  const upstreamsByModel = new Map<string, ReturnType<typeof joinUpstreams>>()

  function upstreamsOf(model: Model) {
    const modelUpstreams = upstreamsByModel.get(model.id) ?? joinUpstreams(model)
    upstreamsByModel.set(model.id, modelUpstreams)
    return modelUpstreams
  }

  /** The operator's order first, then the catalogue's, without disabled upstreams. */
  function joinUpstreams(model: Model) {
    const modelOverrides = overrides[model.id] ?? []
    const disabled = modelOverrides.flatMap(({ provider, enabled }) => (enabled === false ? [provider] : []))
    const names = new Set([
      ...modelOverrides.map(({ provider }) => provider as ProviderName),
      ...model.providers,
    ])
    return [...names].flatMap((name) => {
      const upstream = disabled.includes(name) ? undefined : find(model, name)
      return upstream === undefined
        ? []
        : [
            {
              name,
              ...upstream,
              missing: listMissingVariables(upstream.provider, upstream.mapping, upstreams),
            },
          ]
    })
  }

  /** Upstreams that have their keys and can receive the files of the input. */
  function listCandidates(model: Model, input: Input) {
    return upstreamsOf(model).filter(
      ({ provider, mapping, missing }) => missing.length === 0 && canReceiveFiles(provider, mapping, input),
    )
  }

  return {
    find,

    isAvailable(model: Model): boolean {
      return upstreamsOf(model).some(({ missing }) => missing.length === 0)
    },

    /** Upstreams that render exactly this input, best first. */
    listUpstreams(model: Model, input: Input): ProviderName[] {
      return listCandidates(model, input)
        .filter(({ provider, mapping }) => findRejections(provider, mapping, input).length === 0)
        .map(({ name }) => name)
    },

    /** Why no upstream with keys renders this input, for the client. */
    rejectionMessage(model: Model, input: Input): string | undefined {
      return upstreamsOf(model)
        .filter(({ missing }) => missing.length === 0)
        .flatMap(({ provider, mapping }) => findRejections(provider, mapping, input))[0]?.message
    },

    /**
     * Another seed for an input that upstreams reject only because of its seed; `undefined`: not needed, or no seed would help. The same seed always
     * maps to the same other one.
     */
    adjustSeed(model: Model, input: Input): { seed: number; min: number; max: number } | undefined {
      const { seed, ...others } = input
      if (seed === undefined) return undefined
      const rejectionsByUpstream = listCandidates(model, input)
        .filter(({ provider, mapping }) => findRejections(provider, mapping, others).length === 0)
        .map(({ provider, mapping }) => findRejections(provider, mapping, input))
      if (rejectionsByUpstream.some((rejections) => rejections.length === 0)) return undefined
      const ranges = rejectionsByUpstream.flatMap((rejections) =>
        rejections.flatMap(({ seeds }) => seeds ?? []),
      )
      if (ranges.length === 0) return undefined
      const min = Math.max(...ranges.map((range) => range.min))
      const max = Math.min(...ranges.map((range) => range.max))
      return { seed: foldSeed(seed, { min, max }), min, max }
    },

    /** Environment variables that the model's upstreams lack, one line per upstream, for the operator's log. */
    describeMissingVariables(model: Model): string[] {
      return upstreamsOf(model).flatMap(({ provider, missing }) =>
        missing.length === 0 ? [] : [`${provider.title}: ${missing.join(' and ')}`],
      )
    },
  }
}
