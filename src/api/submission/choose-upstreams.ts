import type { Field, Input } from '../../../providers/input.ts'
import type { ProviderName } from '../../../providers/provider.ts'
import { listMedia, parseStoredReference } from '../../catalogue/media-values/stored-reference.ts'
import type { Model } from '../../catalogue/model.ts'
import { relaxInput } from '../../catalogue/validation/relax-input.ts'
import type { ValidRequest } from '../../catalogue/validation/validate.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../errors.ts'

/** The upstreams that can render an input. If there is none and the caller is not strict: those for the closest input that has one. */
export function findUpstreams({ routing }: ApiDeps, { model, warnings, ...request }: ValidRequest) {
  const isStrict = request.handling === 'strict'
  const fitSeed = (input: Input) =>
    isStrict ? { input, warnings: [] } : withFittingSeed(routing, model, input)
  const routeInput = (input: Input, moreWarnings: readonly string[] = []) => {
    const fittedInput = fitSeed(input)
    const route = routing.listUpstreams(model, fittedInput.input)
    return {
      input: fittedInput.input,
      warnings: [...warnings, ...moreWarnings, ...fittedInput.warnings],
      route,
    }
  }
  const exact = routeInput(request.input)
  if (exact.route.length > 0) return exact
  const reason = routing.rejectionMessage(model, request.input)
  if (reason !== undefined) {
    const relaxed = isStrict
      ? undefined
      : relaxInput(model, request.input, (candidate) => routeInput(candidate).route.length > 0)
    if (relaxed === undefined) throw new ApiError('invalid_parameter_value', reason)
    return routeInput(relaxed.input, relaxed.warnings)
  }
  const log = { model: model.id, setOneOf: routing.describeMissingVariables(model) }
  const rendering = routing.isAvailable(model) ? `exactly this with \`${model.id}\`` : `\`${model.id}\``
  throw new ApiError('service_unavailable', `No upstream of this gateway can render ${rendering}`, { log })
}

/** Clients may draw seeds from a wider range than the upstreams of the model accept. */
function withFittingSeed(routing: ApiDeps['routing'], model: Model, input: Input) {
  const replacement = routing.adjustSeed(model, input)
  if (replacement === undefined) return { input, warnings: [] }
  const { seed, min, max } = replacement
  const range = `the upstreams of \`${model.id}\` take ${min} to ${max}`
  const warning = `\`seed\` ${input.seed} was replaced by ${seed}, always the same: ${range}`
  return { input: { ...input, seed }, warnings: [warning] }
}

export type OrderedUpstreams = {
  route: readonly [ProviderName, ...ProviderName[]]
  /** The job tries a rejected upstream key again. */
  retriesKey?: boolean
  /** Call if no job is created. */
  release(): Promise<void>
}

/** The upstreams in the order in which the job tries them. Throws `service_unavailable` if every one rejects its key, which only the operator can fix. */
export async function orderUpstreams(
  { chooseRoute }: ApiDeps,
  model: Model,
  [preferred, ...others]: readonly [ProviderName, ...ProviderName[]],
): Promise<OrderedUpstreams> {
  if (chooseRoute === undefined) return { route: [preferred, ...others], release: async () => undefined }
  const choice = await chooseRoute(model, [preferred, ...others])
  if (choice.kind === 'chosen') return choice
  const retryAfterSeconds = Math.max(1, Math.ceil((choice.retryAt - Date.now()) / 1000))
  throw new ApiError(
    'service_unavailable',
    `\`${model.id}\` is not available at the moment; try again later`,
    {
      headers: { 'Retry-After': String(retryAfterSeconds) },
      log: { model: model.id, reason: 'every upstream of the model rejects its key' },
    },
  )
}

/** The upstreams would have to fetch a file from this gateway and cannot reach it. */
export function publicLinkRequiredError(
  model: Model,
  input: Input,
  routing: ApiDeps['routing'],
  fieldNameInRequest: (field: Field) => string,
) {
  const files = listMedia(input).filter(({ value }) => parseStoredReference(value) !== undefined)
  const unsupported =
    files.find(({ field, value }) => routing.listUpstreams(model, { [field]: value }).length === 0) ??
    files[0]
  const { field: unsupportedField, path } = unsupported ?? { field: 'image', path: 'image' }
  const field = fieldNameInRequest(unsupportedField) + path.slice(unsupportedField.length)
  const reason = `the upstream of \`${model.id}\` fetches it by itself, and this gateway has no public address (PUBLIC_URL)`
  const message = `\`${field}\` must be a public http(s) link here: ${reason}`
  return new ApiError('invalid_parameter_value', message, { param: field })
}
