import type { Offer } from '../provider.ts'
import { edit } from './edit.ts'
import { generate } from './generate.ts'
import { wan } from './wan.ts'

export const offers: Readonly<Record<string, Offer>> = { ...generate, ...wan, ...edit }
