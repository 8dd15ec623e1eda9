import type { Input } from '../../providers/input.ts'
import type { Offer, Provider, ProviderName } from '../../providers/provider.ts'
import type { Model } from '../catalogue/model.ts'
import type { ProviderConfig } from '../config.ts'
import { heldBy, mediaIn, mediaOf } from '../media/reference.ts'
import type { Overrides } from './overrides.ts'

type Parts = {
  providers: Readonly<Record<ProviderName, Provider>>
  upstreams: Readonly<Record<ProviderName, ProviderConfig>>
  /** Whether upstreams can fetch files from us. */
  links?: boolean
  /** What the operator says of the offers. */
  overrides?: Overrides
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

  /** Environment variables that keep an upstream from being asked. */
  function missing(provider: Provider, offer: Offer): string[] {
    const hostName = offer.host ?? Object.keys(provider.hosts)[0] ?? ''
    const host = provider.hosts[hostName]
    const config = upstreams[provider.name]
    if (host === undefined) return []
    const unset = host.credentials.filter((name) => config.credentials[name] === undefined)
    return config.baseUrls[hostName] === undefined ? [host.baseUrlVariable, ...unset] : unset
  }

  /** Whether every file of ours in the input can come to this upstream. */
  function canBeGiven(provider: Provider, offer: Offer, input: Input): boolean {
    return mediaIn(input).every(({ value, kind }) => {
      const held = heldBy(value)
      return links || held === undefined || provider.takes(offer, mediaOf(held, kind), links) !== 'link'
    })
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
      return found === undefined ? [] : [{ name, ...found, missing: missing(found.provider, found.offer) }]
    })
  }

  return {
    find,

    available(model: Model): boolean {
      return offersOf(model).some(({ missing }) => missing.length === 0)
    },

    /** Upstreams that can be asked for exactly this input, best first. */
    route(model: Model, input: Input): ProviderName[] {
      return offersOf(model)
        .filter(
          ({ provider, offer, missing }) =>
            missing.length === 0 &&
            offer.refuses?.(input) === undefined &&
            canBeGiven(provider, offer, input),
        )
        .map(({ name }) => name)
    },

    /** Why no upstream that has its keys renders this input, in words for the client. */
    refusal(model: Model, input: Input): string | undefined {
      return offersOf(model)
        .filter(({ missing }) => missing.length === 0)
        .map(({ offer }) => offer.refuses?.(input))
        .find((reason) => reason !== undefined)
    },

    /** Environment variables that would give the model an upstream, one line an upstream. For the operator's log. */
    missing(model: Model): string[] {
      return offersOf(model).flatMap(({ provider, missing }) =>
        missing.length === 0 ? [] : [`${provider.title}: ${missing.join(' and ')}`],
      )
    },
  }
}
