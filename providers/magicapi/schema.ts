import type { BodySchema } from '../schema.ts'

/** -1 stands for the face that fits best. That the products take an index at all is seen in public clients only. */
const face = { type: 'integer', min: -1 } as const
const url = { type: 'url', required: true } as const

/** `input` of the products v3 and v2. */
export const inputSchema: BodySchema = { swap_image: url, target_video: url, target_face_index: face }

/** The form of the product capix, after its numbers have been read. */
export const capixSchema: BodySchema = { target_url: url, swap_url: url, target_face_index: face }
