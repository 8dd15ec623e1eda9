import type { FastifyRequest } from 'fastify'
import { admit } from '../../catalogue/admit.ts'
import { validationOf } from '../handling.ts'
import type { AppParts } from '../parts.ts'
import { redactFor } from '../redact.ts'
import { readObject, refusalOf } from './submit.ts'

/** What a submit of the same body would reserve; nothing is stored and nobody is asked. */
export async function price(parts: AppParts, request: FastifyRequest) {
  const admitted = admit(readObject(request.body), validationOf(parts, request))
  if (!admitted.ok) throw refusalOf(admitted.problems)
  const { model, input, warnings } = admitted
  const { usd, seconds, warnings: more } = parts.money.price(model, input)
  const said = [...warnings, ...more].map(redactFor(request))
  return { model: model.id, usd, ...(seconds !== undefined && { seconds }), warnings: said }
}
