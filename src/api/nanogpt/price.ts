import type { FastifyRequest } from 'fastify'
import { admit } from '../../catalogue/admit.ts'
import type { AppParts } from '../parts.ts'
import { readObject, refusalOf } from './submit.ts'

/** What a submit of the same body would reserve; nothing is stored and nobody is asked. */
export async function price({ money }: AppParts, request: FastifyRequest) {
  const admitted = admit(readObject(request.body))
  if (!admitted.ok) throw refusalOf(admitted.problems)
  const { model, input, warnings } = admitted
  const { usd, seconds, warnings: more } = money.price(model, input)
  return { model: model.id, usd, ...(seconds !== undefined && { seconds }), warnings: [...warnings, ...more] }
}
