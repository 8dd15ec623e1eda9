import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { type State, states } from '../engine/job.ts'

const Nullable = <T extends TSchema>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, nullable: true })

/** `submitting` is nobody's business but ours. */
export const publicStates = states.filter((state) => state !== 'submitting')
const StateWord = Type.Unsafe<State>({ type: 'string', enum: publicStates })

const Video = Type.Object({ url: Type.String(), thumbnailUrl: Type.Optional(Type.String()) })

const job = {
  id: Type.String(),
  object: Type.Literal('job'),
  model: Type.String(),
  state: StateWord,
  progress: Type.Number({ minimum: 0, maximum: 100 }),
  createdAt: Type.String({ format: 'date-time' }),
  completedAt: Nullable(Type.String({ format: 'date-time' })),
  expectedAt: Nullable(Type.String({ format: 'date-time' })),
  costUsd: Type.Number(),
  videos: Type.Array(Video),
  error: Nullable(Type.Object({ code: Type.String(), message: Type.String() })),
  conversationUUID: Nullable(Type.String()),
  sandbox: Type.Optional(Type.Boolean()),
}

export const Entry = Type.Object({
  at: Type.String({ format: 'date-time' }),
  state: StateWord,
  progress: Type.Number(),
  provider: Type.Optional(Type.String()),
})

const Note = Type.Object({
  at: Type.String({ format: 'date-time' }),
  kind: Type.String({
    enum: ['late_result', 'late_reply', 'charge', 'release', 'adopt'],
    description: 'The upstream finished after all, or what an operator decided on the money on hold.',
  }),
})

export const Job = Type.Object(job, { title: 'Job', description: 'A job.' })
export const JobWithHistory = Type.Object(
  { ...job, prompt: Nullable(Type.String()), events: Type.Array(Entry), notes: Type.Array(Note) },
  {
    title: 'JobWithHistory',
    description: 'A job, every change of it with its time, and notes on it after its end.',
  },
)
export const Jobs = Type.Object(
  { object: Type.Literal('list'), data: Type.Array(Job), next: Nullable(Type.String()) },
  { title: 'Jobs', description: 'One page of jobs, newest first; `next` is the cursor of the next one.' },
)
