import type { BodySchema } from '../../schema.ts'

/** A task of OmniHuman 1.5. The limit of the prompt is seen in clients of the API, not in its documentation. */
export const visualSchema: BodySchema = {
  req_key: { type: 'string', required: true },
  image_url: { type: 'url', required: true },
  audio_url: { type: 'url', required: true },
  prompt: { type: 'string', maxLength: 300 },
  output_resolution: { type: 'integer', enum: [720, 1080] },
}
