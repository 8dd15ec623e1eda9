import { type Static, Type } from '@sinclair/typebox'
import { Nullable } from '../responses/nullable.ts'

const StatusSchema = Type.Unsafe<'queued' | 'in_progress' | 'completed' | 'failed'>({
  type: 'string',
  enum: ['queued', 'in_progress', 'completed', 'failed'],
})

export const OpenaiVideo = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('video'),
    model: Type.String(),
    status: StatusSchema,
    progress: Type.Integer({ minimum: 0, maximum: 100 }),
    created_at: Type.Integer(),
    completed_at: Nullable(Type.Integer()),
    expires_at: Nullable(Type.Integer()),
    size: Nullable(Type.String()),
    seconds: Nullable(Type.String()),
    prompt: Nullable(Type.String()),
    error: Nullable(Type.Object({ code: Type.String(), message: Type.String() })),
    remixed_from_video_id: Nullable(Type.String()),
    warnings: Type.Optional(Type.Array(Type.String())),
    sandbox: Type.Optional(Type.Boolean()),
  },
  { title: 'Video', description: 'A job in the format of the OpenAI Videos API.' },
)

export const OpenaiVideoList = Type.Object(
  {
    object: Type.Literal('list'),
    data: Type.Array(OpenaiVideo),
    first_id: Nullable(Type.String()),
    last_id: Nullable(Type.String()),
    has_more: Type.Boolean(),
  },
  { title: 'Videos', description: 'One page of jobs.' },
)

export const DeletedOpenaiVideo = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('video.deleted'),
    deleted: Type.Boolean({ description: '`false`: the job was still running and is being canceled.' }),
  },
  { title: 'DeletedVideo', description: 'Whether the job was deleted.' },
)

export type OpenaiVideo = Static<typeof OpenaiVideo>
export type OpenaiVideoList = Static<typeof OpenaiVideoList>
export type DeletedOpenaiVideo = Static<typeof DeletedOpenaiVideo>
