import type { Offer } from '../../provider.ts'
import { generate } from '../models.ts'
import { edit } from './edit.ts'
import { wan } from './wan.ts'

export const offers: Readonly<Record<string, Offer>> = { ...generate, ...wan, ...edit }
