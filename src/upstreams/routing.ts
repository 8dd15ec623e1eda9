import type { Rejection } from '../../providers/check.ts'
import type { Input } from '../../providers/input.ts'
import type { Offer, Provider, ProviderName } from '../../providers/provider.ts'
import { foldSeed } from '../../providers/seed.ts'
import {
  listMedia,
  parseStoredReference,
  toProviderMedia,
} from '../catalogue/media-values/stored-reference.ts'
import type { Model } from '../catalogue/model.ts'
import type { ProviderConfig } from '../config.ts'
import type { Overrides } from './overrides.ts'

type Parts = {
  providers: Readonly<Record<ProviderName, Provider>>
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
  /** Whether upstreams can fetch files from us. */
  links?: boolean
  /** What the operator says of the offers. */
  overrides?: Overrides
}

/** Environment variables without which an upstream cannot be called for an endpoint. */
export function missingVariables(
  provider: Provider,
  offer: Offer,
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>,
): string[] {
  const hostName = offer.host ?? Object.keys(provider.hosts)[0] ?? ''
  const host = provider.hosts[hostName]
  const config = upstreams[provider.name]
  if (host === undefined) return []
  const unset = host.credentials.filter((name) => config.credentials[name] === undefined)
  return config.baseUrls[hostName] === undefined ? [host.baseUrlVariable, ...unset] : unset
}

export type Offers = ReturnType<typeof createOffers>

/** Which upstream renders what: joins the catalogue's order, the keys at hand and the operator's changes. */
export function createOffers({ providers, upstreams, links = false, overrides = {} }: Parts) {
  function find(
    model: Pick<Model, 'id'>,
    name: ProviderName,
  ): { provider: Provider; offer: Offer } | undefined {
    const provider = providers[name]
    const offer = provider.offers[model.id]
    if (offer === undefined) return undefined
    const endpoints = overrides[model.id]?.find((said) => said.provider === name)?.endpoints
    return {
      provider,
      offer: endpoints === undefined ? offer : { ...offer, endpoints: { ...offer.endpoints, ...endpoints } },
    }
  }

  /** Whether every file of ours in the input can come to this upstream. */
  function canBeGiven(provider: Provider, offer: Offer, input: Input): boolean {
    return listMedia(input).every(({ value, kind }) => {
      const held = parseStoredReference(value)
      return (
        links || held === undefined || provider.takes(offer, toProviderMedia(held, kind), links) !== 'link'
      )
    })
  }

  /** Why this upstream cannot render an input: what it would render differently, then what it would reject. */
  function rejections(provider: Provider, offer: Offer, input: Input): readonly Rejection[] {
    const message = offer.refuses?.(input)
    if (message !== undefined) return [{ message }]
    return provider.check?.(offer, input, upstreams[provider.name].settings) ?? []
  }

  const found = new Map<string, ReturnType<typeof gather>>()

  function offersOf(model: Model) {
    const offers = found.get(model.id) ?? gather(model)
    found.set(model.id, offers)
    return offers
  }

  /** The operator's order first, then the catalogue's; without what is switched off. */
  function gather(model: Model) {
    const said = overrides[model.id] ?? []
    const off = said.flatMap(({ provider, enabled }) => (enabled === false ? [provider] : []))
    const names = new Set([...said.map(({ provider }) => provider as ProviderName), ...model.providers])
    return [...names].flatMap((name) => {
      const found = off.includes(name) ? undefined : find(model, name)
      return found === undefined
        ? []
        : [{ name, ...found, missing: missingVariables(found.provider, found.offer, upstreams) }]
    })
  }

  /** Upstreams that have their keys, and can be given the files of the input. */
  function candidates(model: Model, input: Input) {
    return offersOf(model).filter(
      ({ provider, offer, missing }) => missing.length === 0 && canBeGiven(provider, offer, input),
    )
  }

  return {
    find,

    available(model: Model): boolean {
      return offersOf(model).some(({ missing }) => missing.length === 0)
    },

    /** Upstreams that can be asked for exactly this input, best first. */
    route(model: Model, input: Input): ProviderName[] {
      return candidates(model, input)
        .filter(({ provider, offer }) => rejections(provider, offer, input).length === 0)
        .map(({ name }) => name)
    },

    /** Why no upstream that has its keys renders this input, in words for the client. */
    refusal(model: Model, input: Input): string | undefined {
      return offersOf(model)
        .filter(({ missing }) => missing.length === 0)
        .flatMap(({ provider, offer }) => rejections(provider, offer, input))[0]?.message
    },

    /**
     * The seed for an input that no upstream takes with the seed that was asked for, and that some would take with another one.
     * The same seed always becomes the same other one.
     */
    fitSeed(model: Model, input: Input): { seed: number; min: number; max: number } | undefined {
      const { seed, ...others } = input
      if (seed === undefined) return undefined
      const judged = candidates(model, input)
        .filter(({ provider, offer }) => rejections(provider, offer, others).length === 0)
        .map(({ provider, offer }) => rejections(provider, offer, input))
      if (judged.some((found) => found.length === 0)) return undefined
      const ranges = judged.flatMap((found) => found.flatMap(({ seeds }) => seeds ?? []))
      if (ranges.length === 0) return undefined
      const min = Math.max(...ranges.map((range) => range.min))
      const max = Math.min(...ranges.map((range) => range.max))
      return { seed: foldSeed(seed, { min, max }), min, max }
    },

    /** Environment variables that would give the model an upstream, one line an upstream. For the operator's log. */
    missing(model: Model): string[] {
      return offersOf(model).flatMap(({ provider, missing }) =>
        missing.length === 0 ? [] : [`${provider.title}: ${missing.join(' and ')}`],
      )
    },
  }
}
