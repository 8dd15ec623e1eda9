/** A model that FAL renders, and that OpenAI's API knows by the same name. */
export const model = 'sora-2'

const prompt = 'A paper boat crosses a puddle in the rain, seen from just above the water'

export const submitBody = JSON.stringify({ model, prompt, duration: 4, aspect_ratio: '16:9' })

export const openAiBody = JSON.stringify({ model, prompt, seconds: '4', size: '1280x720' })

/** As long as what the gateway answers. */
export const submitReply = JSON.stringify({
  runId: 'vid_00000000000000000000000000000000',
  id: 'vid_00000000000000000000000000000000',
  requestId: 'vid_00000000000000000000000000000000',
  taskId: 'vid_00000000000000000000000000000000',
  projectId: 'vid_00000000000000000000000000000000',
  status: 'pending',
  model,
  cost: 0.4,
  paymentSource: 'USD',
  remainingBalance: 1_000_000,
  prechargeLabel: '$0.40',
  createdAt: '2026-11-01T00:00:00.000Z',
  warnings: [],
})

export const statusReply = JSON.stringify({
  requestId: 'vid_00000000000000000000000000000000',
  runId: 'vid_00000000000000000000000000000000',
  id: 'vid_00000000000000000000000000000000',
  model,
  status: 'completed',
  stage: 'succeeded',
  progress: 100,
  estimatedTimeRemaining: null,
  videoUrl: `http://127.0.0.1:40000/files/${'0'.repeat(40)}.mp4`,
  error: null,
  createdAt: '2026-11-01T00:00:00.000Z',
  completedAt: '2026-11-01T00:00:00.000Z',
  paymentSource: 'USD',
  output: { video: { url: `http://127.0.0.1:40000/files/${'0'.repeat(40)}.mp4` } },
  cost: 0.4,
  data: {
    status: 'COMPLETED',
    requestId: 'vid_00000000000000000000000000000000',
    request_id: 'vid_00000000000000000000000000000000',
    runId: 'vid_00000000000000000000000000000000',
    projectId: 'vid_00000000000000000000000000000000',
    model,
    output: {
      video: { url: `http://127.0.0.1:40000/files/${'0'.repeat(40)}.mp4` },
      url: `http://127.0.0.1:40000/files/${'0'.repeat(40)}.mp4`,
      videoUrl: `http://127.0.0.1:40000/files/${'0'.repeat(40)}.mp4`,
      videos: [{ url: `http://127.0.0.1:40000/files/${'0'.repeat(40)}.mp4` }],
      videoUrls: [`http://127.0.0.1:40000/files/${'0'.repeat(40)}.mp4`],
    },
    isCompleted: true,
    isSuccess: true,
    progress: 100,
    estimatedTimeRemaining: null,
    error: null,
    cost: 0.4,
  },
})
