/** The documentation of a body that submits a video, without its properties. */
export const videoBody = {
  type: 'object',
  required: ['prompt'],
  description: 'All other fields of the model are accepted as well.',
  additionalProperties: true,
}
