import type { BodySchema } from '../schema.ts'

/** The submit body of an mj-proxy, as its source reads it. `image` is a link, a data URL or bare base64. */
export const midjourneySchema: BodySchema = {
  prompt: { type: 'string', minLength: 1, required: true },
  image: { type: 'string' },
  endImage: { type: 'string' },
  motion: { type: 'string', enum: ['low', 'high'] },
  loop: { type: 'boolean' },
  videoType: { type: 'string', enum: ['vid_1.1_i2v_480', 'vid_1.1_i2v_720'] },
  batchSize: { type: 'integer', enum: [1, 2, 4] },
  action: { type: 'string', enum: ['extend'] },
  taskId: { type: 'string' },
  index: { type: 'integer', min: 0, max: 3 },
  state: { type: 'string', maxLength: 255 },
  notifyHook: { type: 'string', maxLength: 2000 },
}
