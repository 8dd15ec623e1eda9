import type { BodySchema } from '../schema.ts'

const url = { type: 'url', required: true } as const

/** `input` of the products `v3` and `v2`. That they take the index of a face is seen in public clients only; -1 is the one that fits best. */
export const magicapiSchema: BodySchema = {
  swap_image: url,
  target_video: url,
  target_face_index: { type: 'integer', min: -1 },
}
