import type { FastifyRequest } from 'fastify'
import type { Field, Input } from '../../../providers/input.ts'
import type { Offered } from '../../accounts/price.ts'
import type { Admitted, Problem } from '../../catalogue/admit.ts'
import { admit } from '../../catalogue/admit.ts'
import { spellingOf } from '../../catalogue/fold.ts'
import type { Model } from '../../catalogue/model.ts'
import { isEmpty } from '../../catalogue/parse.ts'
import { type Accepted, Refused } from '../../engine/engine.ts'
import { RecordTooLarge } from '../../engine/record-size.ts'
import { bringsFiles, type Kept } from '../../media/keep.ts'
import { heldBy, mediaIn } from '../../media/reference.ts'
import { ApiError } from '../errors.ts'
import { validationOf } from '../handling.ts'
import { firstAnswer, noteReplay } from '../idempotency.ts'
import { checkInputLimits, shortenWarnings } from '../input-limits.ts'
import type { AppParts } from '../parts.ts'
import { redactFor } from '../redact.ts'
import { recordRefusal } from '../refusals.ts'
import { webhookOf } from '../webhook-of.ts'
import { unlimitedUsd } from './balance.ts'
import { newJobId } from './job-id.ts'
import type { Submitted } from './schemas.ts'
import { timeOf } from './status.ts'
import { type ChosenUpstreams, findUpstreams, orderUpstreams } from './upstreams.ts'

/** Accepts a job. No upstream is asked: that is the worker's doing, after the answer. */
export async function submit(
  parts: AppParts,
  request: FastifyRequest,
  body = readObject(request.body),
): Promise<Submitted> {
  const first = await firstAnswer(parts, request)
  if (first !== undefined) return answerOf(first)
  const admitted = admit(body, validationOf(parts, request))
  if (!admitted.ok) throw refusalOf(admitted.problems)
  return take(parts, request, admitted)
}

/** Makes a job of what has been admitted. */
export async function take(
  parts: AppParts,
  request: FastifyRequest,
  admitted: Admitted & { remixedFrom?: string },
  agreed?: Offered,
): Promise<Submitted> {
  const { engine, offers, media, money } = parts
  const spell = (field: Field) => spellingOf(request.body, field)
  checkInputLimits(admitted, request.server.textLimits, spell)
  const { model, conversationUUID, remixedFrom } = admitted
  const webhook = webhookOf(parts, request)
  const { input, warnings, route } = findUpstreams(parts, admitted)
  const fault = parts.storage.fault()
  if (fault !== undefined) throw fault
  const price = agreed ?? money.price(model, input)
  if (bringsFiles(input)) await money.check(request.owner, price.usd)
  const kept = await media.keep(input, { owner: request.owner, spell })
  const said = shortenWarnings([...warnings, ...price.warnings].map(redactFor(request)))
  const accepted = await orForget(kept, async () => {
    const [best, ...others] = kept.input === input ? route : offers.route(model, kept.input)
    if (best === undefined) throw linkNeeded(model, kept.input, offers, spell)
    const chosen = await orderUpstreams(parts, model, [best, ...others])
    const accepting = engine.accept({
      id: newJobId(),
      owner: request.owner,
      model: model.id,
      input: kept.input,
      route: chosen.route,
      ...(chosen.retriesKey === true && { retriesKey: true }),
      deadlineSeconds: model.deadlineSeconds,
      costUsd: price.usd,
      ...(price.meter !== undefined && { meter: price.meter }),
      sandbox: offers.sandbox,
      ...(conversationUUID !== undefined && { conversationUUID }),
      ...(remixedFrom !== undefined && { remixedFrom }),
      webhook,
      ...(request.once !== undefined && { once: request.once, warnings: said }),
    })
    return orRelease(chosen, accepting)
  }).catch((cause: unknown) => {
    throw cause instanceof RecordTooLarge ? recordRefusal(cause, spell) : cause
  })
  return answerOf(noteReplay(request, accepted), said)
}

/** A request of which no job came leaves no file. Where nobody can tell whether one came, the file stays. */
async function orForget({ forget }: Kept, accept: () => Promise<Accepted>): Promise<Accepted> {
  try {
    const accepted = await accept()
    if (accepted.replay !== undefined) await forget().catch(() => undefined)
    return accepted
  } catch (cause) {
    // What cannot be removed now goes with the other old inputs.
    if (isRefusal(cause)) await forget().catch(() => undefined)
    throw cause
  }
}

function isRefusal(cause: unknown): boolean {
  return cause instanceof Refused || cause instanceof ApiError || cause instanceof RecordTooLarge
}

/** A retry of a rejected key that no job makes is left to the next one. */
async function orRelease({ release }: ChosenUpstreams, accepting: Promise<Accepted>): Promise<Accepted> {
  try {
    const accepted = await accepting
    if (accepted.replay !== undefined) await release()
    return accepted
  } catch (cause) {
    await release()
    throw cause
  }
}

/** What a submit is answered, the first time and again. */
export function answerOf(view: Accepted, warnings: readonly string[] = []): Submitted {
  return {
    runId: view.id,
    id: view.id,
    requestId: view.id,
    taskId: view.id,
    projectId: view.id,
    status: 'pending',
    model: view.model,
    cost: view.costUsd,
    paymentSource: 'USD',
    remainingBalance: view.leftUsd ?? unlimitedUsd,
    prechargeLabel: `$${view.costUsd.toFixed(2)}`,
    createdAt: timeOf(view.createdAt),
    warnings: [...(view.replay?.warnings ?? warnings)],
    ...(view.sandbox === true && { sandbox: true }),
  }
}

/** Its upstreams would have to fetch a file from us, and cannot reach us. */
function linkNeeded(model: Model, kept: Input, offers: AppParts['offers'], spell: (field: Field) => string) {
  const files = mediaIn(kept).filter(({ value }) => heldBy(value) !== undefined)
  const refused =
    files.find(({ field, value }) => offers.route(model, { [field]: value }).length === 0) ?? files[0]
  const { field: refusedField, path } = refused ?? { field: 'image', path: 'image' }
  const field = spell(refusedField) + path.slice(refusedField.length)
  const reason = `the upstream of \`${model.id}\` fetches it by itself, and this gateway has no public address (PUBLIC_URL)`
  const message = `\`${field}\` must be a public http(s) link here: ${reason}`
  return new ApiError('invalid_parameter_value', message, { param: field })
}

/** The submit of March 2025: another path, other words, and a model of its own where none is named. */
export async function submitFirst(parts: AppParts, request: FastifyRequest): Promise<Submitted> {
  const body = { modelSlug: 'longstories-movie', ...withoutBlanks(readObject(request.body)) }
  return { ...(await submit(parts, request, body)), status: 'PENDING', isCompleted: false, isSuccess: false }
}

export type Body = Readonly<Record<string, unknown>>

export function readObject(body: unknown): Body {
  if (body === undefined || body === null) return {}
  if (typeof body === 'object' && !Array.isArray(body)) return body as Body
  throw new ApiError('invalid_parameter_value', 'The body must be a JSON object')
}

function withoutBlanks(body: Body): Body {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => !isEmpty(value)))
}

export function refusalOf(problems: readonly [Problem, ...Problem[]]): ApiError {
  const [{ code, field }] = problems
  const message = problems.map((problem) => problem.message).join('; ')
  return new ApiError(code, message, { param: field, extra: { details: problems } })
}
