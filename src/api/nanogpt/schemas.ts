import { type Static, Type } from '@sinclair/typebox'
import { Nullable } from '../responses/nullable.ts'

/** Schemas make serialization faster and type the builders; a field that a schema does not name is sent too. */
export const otherFieldsAllowed = { additionalProperties: true }

export const SubmitResponse = Type.Object(
  {
    runId: Type.String(),
    id: Type.String(),
    requestId: Type.String(),
    taskId: Type.String(),
    projectId: Type.String(),
    status: Type.String(),
    model: Type.String(),
    cost: Type.Number(),
    paymentSource: Type.String(),
    remainingBalance: Type.Number(),
    prechargeLabel: Type.String(),
    createdAt: Type.String(),
    warnings: Type.Array(Type.String()),
    sandbox: Type.Optional(Type.Boolean()),
    isCompleted: Type.Optional(Type.Boolean()),
    isSuccess: Type.Optional(Type.Boolean()),
  },
  otherFieldsAllowed,
)

const VideoSchema = Type.Object({ url: Type.String() }, otherFieldsAllowed)

const OutputSchema = Type.Object(
  {
    video: VideoSchema,
    url: Type.String(),
    videoUrl: Type.String(),
    videos: Type.Array(VideoSchema),
    videoUrls: Type.Array(Type.String()),
    thumbnailUrl: Type.Optional(Type.String()),
  },
  otherFieldsAllowed,
)

const NestedStatusSchema = Type.Object(
  {
    status: Type.String(),
    requestId: Type.String(),
    request_id: Type.String(),
    runId: Type.String(),
    projectId: Type.String(),
    model: Type.String(),
    output: Nullable(OutputSchema),
    isCompleted: Type.Boolean(),
    isSuccess: Type.Boolean(),
    progress: Nullable(Type.Number()),
    estimatedTimeRemaining: Nullable(Type.Number()),
    error: Nullable(Type.String()),
    cost: Type.Optional(Type.Number()),
    isNSFWError: Type.Optional(Type.Boolean()),
    userFriendlyError: Type.Optional(Type.String()),
  },
  otherFieldsAllowed,
)

export const StatusResponse = Type.Object(
  {
    requestId: Type.String(),
    runId: Type.String(),
    id: Type.String(),
    model: Type.String(),
    status: Type.String(),
    stage: Type.String(),
    progress: Nullable(Type.Number()),
    estimatedTimeRemaining: Nullable(Type.Number()),
    videoUrl: Nullable(Type.String()),
    /** A text, an object or null, depending on the dialect. */
    error: Type.Unsafe<string | { message: string; type: string; code: string } | null>({}),
    createdAt: Type.String(),
    completedAt: Nullable(Type.String()),
    paymentSource: Type.String(),
    cost: Type.Optional(Type.Number()),
    output: Type.Optional(Type.Object({ video: VideoSchema }, otherFieldsAllowed)),
    userFriendlyError: Type.Optional(Type.String()),
    isNSFWError: Type.Optional(Type.Boolean()),
    sandbox: Type.Optional(Type.Boolean()),
    data: NestedStatusSchema,
  },
  otherFieldsAllowed,
)

export type SubmitResponse = Static<typeof SubmitResponse>
export type StatusResponse = Static<typeof StatusResponse>
