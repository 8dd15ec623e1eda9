import { Type } from '@sinclair/typebox'
import { type JobState, publicStates } from '../../jobs/job.ts'
import { Nullable } from '../responses/nullable.ts'

const StateSchema = Type.Unsafe<JobState>({ type: 'string', enum: publicStates })

const VideoSchema = Type.Object({ url: Type.String(), thumbnailUrl: Type.Optional(Type.String()) })

const jobFields = {
  id: Type.String(),
  object: Type.Literal('job'),
  model: Type.String(),
  state: StateSchema,
  progress: Type.Number({ minimum: 0, maximum: 100 }),
  createdAt: Type.String({ format: 'date-time' }),
  completedAt: Nullable(Type.String({ format: 'date-time' })),
  expectedAt: Nullable(Type.String({ format: 'date-time' })),
  costUsd: Type.Number(),
  videos: Type.Array(VideoSchema),
  error: Nullable(Type.Object({ code: Type.String(), message: Type.String() })),
  conversationUUID: Nullable(Type.String()),
  sandbox: Type.Optional(Type.Boolean()),
}

export const JobEventEntry = Type.Object({
  at: Type.String({ format: 'date-time' }),
  state: StateSchema,
  progress: Type.Number(),
  provider: Type.Optional(Type.String()),
})

const NoteSchema = Type.Object({
  at: Type.String({ format: 'date-time' }),
  kind: Type.String({
    enum: ['late_result', 'late_reply', 'charge', 'release', 'adopt'],
    description: 'A result that arrived late, or the decision of an operator about money on hold.',
  }),
})

export const JobResponse = Type.Object(jobFields, { title: 'Job', description: 'A job.' })
export const JobWithHistoryResponse = Type.Object(
  {
    ...jobFields,
    prompt: Nullable(Type.String()),
    events: Type.Array(JobEventEntry),
    notes: Type.Array(NoteSchema),
  },
  {
    title: 'JobWithHistory',
    description: 'A job with its history, and notes about what happened after it had ended.',
  },
)
export const JobListResponse = Type.Object(
  { object: Type.Literal('list'), data: Type.Array(JobResponse), next: Nullable(Type.String()) },
  { title: 'Jobs', description: 'One page of jobs, newest first; `next` is the cursor of the next one.' },
)
