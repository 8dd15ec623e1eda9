import type { Input } from '../../../providers/input.ts'
import type { ProviderName } from '../../../providers/provider.ts'
import type { Admitted } from '../../catalogue/admit.ts'
import type { Model } from '../../catalogue/model.ts'
import { relax } from '../../catalogue/relax.ts'
import { ApiError } from '../errors.ts'
import type { AppParts } from '../parts.ts'

/** The upstreams for an input; where none renders exactly it and the caller is not strict, for the closest one that some upstream does. */
export function findUpstreams({ offers }: AppParts, { model, warnings, ...admitted }: Admitted) {
  const isStrict = admitted.handling === 'strict'
  const fit = (input: Input) => (isStrict ? { input, warnings: [] } : withFittingSeed(offers, model, input))
  const routed = (input: Input, more: readonly string[] = []) => {
    const fitted = fit(input)
    const route = offers.route(model, fitted.input)
    return { input: fitted.input, warnings: [...warnings, ...more, ...fitted.warnings], route }
  }
  const asSent = routed(admitted.input)
  if (asSent.route.length > 0) return asSent
  const reason = offers.refusal(model, admitted.input)
  if (reason !== undefined) {
    const relaxed = isStrict ? undefined : relax(model, admitted.input, (one) => routed(one).route.length > 0)
    if (relaxed === undefined) throw new ApiError('invalid_parameter_value', reason)
    return routed(relaxed.input, relaxed.warnings)
  }
  const log = { model: model.id, setOneOf: offers.missing(model) }
  const what = offers.available(model) ? `exactly this with \`${model.id}\`` : `\`${model.id}\``
  throw new ApiError('service_unavailable', `No upstream of this gateway can render ${what}`, { log })
}

/** An upstream's range of seeds may be narrower than what programs draw theirs from. */
function withFittingSeed(offers: AppParts['offers'], model: Model, input: Input) {
  const fitting = offers.fitSeed(model, input)
  if (fitting === undefined) return { input, warnings: [] }
  const { seed, min, max } = fitting
  const range = `the upstreams of \`${model.id}\` take ${min} to ${max}`
  const warning = `\`seed\` ${input.seed} was replaced by ${seed}, always the same: ${range}`
  return { input: { ...input, seed }, warnings: [warning] }
}

export type ChosenUpstreams = {
  route: readonly [ProviderName, ...ProviderName[]]
  /** The job is to try a rejected key again. */
  retriesKey?: boolean
  /** To be called when no job came of it. */
  release(): Promise<void>
}

/** The upstreams in the order in which the job tries them. Throws where every one of them rejects its key: that is for the operator to repair. */
export async function orderUpstreams(
  { chooseRoute }: AppParts,
  model: Model,
  [best, ...others]: readonly [ProviderName, ...ProviderName[]],
): Promise<ChosenUpstreams> {
  if (chooseRoute === undefined) return { route: [best, ...others], release: async () => undefined }
  const chosen = await chooseRoute(model, [best, ...others])
  if (chosen.kind === 'chosen') return chosen
  const seconds = Math.max(1, Math.ceil((chosen.retryAt - Date.now()) / 1000))
  throw new ApiError(
    'service_unavailable',
    `\`${model.id}\` is not available at the moment; try again later`,
    {
      headers: { 'Retry-After': String(seconds) },
      log: { model: model.id, reason: 'every upstream of the model rejects its key' },
    },
  )
}
