import { describeResponse, type JsonSchema, type OperationDocs } from './operation.ts'

// Replies of routes that declare none themselves, as they are sent as they come.

export const textSchema = { type: 'string' }

/** An object of which each named member is there, unless its name ends in `?`. */
export function objectSchema(members: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const memberName = (name: string) => name.replace(/\?$/, '')
  return {
    type: 'object',
    required: Object.keys(members).filter((name) => !name.endsWith('?')),
    properties: Object.fromEntries(
      Object.entries(members).map(([name, schema]) => [memberName(name), schema]),
    ),
  }
}

export function listSchema(
  entry: JsonSchema,
  otherMembers: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return objectSchema({ data: { type: 'array', items: entry }, ...otherMembers })
}

export function okResponse(
  description: string,
  schema: JsonSchema,
  status = 200,
): NonNullable<OperationDocs['replies']> {
  return { [status]: describeResponse(description, { 'application/json': schema }) }
}

const usdSchema = { type: 'number' }

export const usageSchema = objectSchema({
  object: { enum: ['list'] },
  data: {
    type: 'array',
    items: objectSchema({
      day: textSchema,
      key: textSchema,
      model: textSchema,
      'sandbox?': { type: 'boolean' },
      jobs: { type: 'integer' },
      usd: usdSchema,
    }),
  },
  total: objectSchema({ jobs: { type: 'integer' }, usd: usdSchema, 'sandboxJobs?': { type: 'integer' } }),
})

export const accountSchema = objectSchema({
  id: textSchema,
  name: textSchema,
  hint: textSchema,
  createdAt: { type: 'integer' },
  'revokedAt?': { type: 'integer' },
  'rpm?': { type: 'number' },
  'dailyUsd?': usdSchema,
  'balanceUsd?': usdSchema,
  reservedUsd: usdSchema,
  heldUsd: usdSchema,
  spentUsd: usdSchema,
})
