import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type OpenAI from 'openai'
import * as openai7 from 'openai'
import * as openai6 from 'openai-6'
import { createCleanup, startRedis, startTestGateway, startUpstreams } from '../../support/setup.ts'

const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** Clients in use have either. The classes of two versions are no common type, though what is used here is the same. */
const versions = { 6: openai6 as unknown as typeof openai7, 7: openai7 }

for (const [version, { default: Client, APIError, toFile }] of Object.entries(versions))
  describe(`openai ${version}, with only its base address changed`, () => {
    const cleanup = createCleanup()
    let client: OpenAI
    let address: string
    let upstreams: Awaited<ReturnType<typeof startUpstreams>>

    before(async () => {
      const { redis } = await startRedis(cleanup)
      upstreams = await startUpstreams(cleanup, redis, 200)
      address = (await startTestGateway(cleanup, upstreams.env)).address
      client = new Client({ apiKey: 'sk-anything-at-all', baseURL: `${address}/v1`, maxRetries: 0 })
    })
    after(() => cleanup.run())

    /** Polls as the package's own documentation shows. */
    async function finished(id: string): Promise<OpenAI.Videos.Video> {
      let video = await client.videos.retrieve(id)
      while (video.status === 'queued' || video.status === 'in_progress') {
        await new Promise((resolve) => setTimeout(resolve, 50))
        video = await client.videos.retrieve(id)
      }
      return video
    }

    it('creates, polls and downloads', async () => {
      const startedAt = Math.floor(Date.now() / 1000)
      const created = await client.videos.create({
        prompt: 'a boat',
        model: 'sora-2',
        seconds: '8',
        size: '1280x720',
      })
      assert.match(created.id, /^vid_/)
      assert.equal(created.object, 'video')
      assert.equal(created.status, 'queued')
      assert.deepEqual([created.seconds, created.size, created.prompt], ['8', '1280x720', 'a boat'])
      assert.ok(created.created_at >= startedAt && created.created_at <= startedAt + 60)
      assert.deepEqual([created.completed_at, created.expires_at, created.error], [null, null, null])

      const video = await finished(created.id)
      assert.deepEqual([video.status, video.progress, video.error], ['completed', 100, null])
      assert.ok((video.completed_at ?? 0) >= created.created_at)
      assert.ok((video.expires_at ?? 0) > (video.completed_at ?? 0))

      const file = await client.videos.downloadContent(created.id)
      assert.equal(file.headers.get('content-type'), 'video/mp4')
      const bytes = Buffer.from(await file.arrayBuffer())
      assert.equal(bytes.toString('latin1', 4, 8), 'ftyp')
      const part = await client.videos.downloadContent(created.id, {}, { headers: { Range: 'bytes=4-7' } })
      assert.deepEqual([part.status, await part.text()], [206, 'ftyp'])
      await assert.rejects(
        client.videos.downloadContent(created.id, { variant: 'poster' as 'thumbnail' }),
        refusalWith(400, 'invalid_parameter_value', 'variant'),
      )
    })

    it('distinguishes a video that is not ready from one that does not exist', async () => {
      const { id } = await client.videos.create({ prompt: 'sandbox:hang', model: 'sora-2' })
      await assert.rejects(client.videos.downloadContent(id), refusalWith(409, 'conflict'))
      await assert.rejects(client.videos.retrieve('vid_nowhere'), refusalWith(404, 'not_found'))
      assert.equal((await client.videos.delete(id)).deleted, false)
    })

    it('sends a reference as a file, which the upstream gets', async () => {
      // Jobs of other tests may reach the upstream meanwhile.
      const listTasks = async () =>
        (await upstreams.host.tasks('wavespeed')).filter((task) =>
          JSON.stringify(task).includes('the boat moves'),
        )
      const before = (await listTasks()).length
      const created = await client.videos.create({
        prompt: 'the boat moves',
        model: 'sora-2-pro',
        size: '1024x1792',
        input_reference: await toFile(pixel, 'boat.png', { type: 'image/png' }),
      })
      assert.equal(created.model, 'sora-2-pro')
      assert.equal((await finished(created.id)).status, 'completed')
      const tasks = await listTasks()
      assert.equal(tasks.length, before + 1)
      assert.match(JSON.stringify(tasks), /"image":"(https?:|data:image\/png)/)
    })

    it('sends a reference as a link or as a data URL', async () => {
      const image_url = `data:image/png;base64,${pixel.toString('base64')}`
      const asData = await client.videos.create({ prompt: 'it moves', input_reference: { image_url } })
      assert.equal((await finished(asData.id)).status, 'completed')
      const image = { image_url: 'https://pictures.example/boat.png' }
      const asLink = await client.videos.create({ prompt: 'it moves', input_reference: image })
      assert.equal((await finished(asLink.id)).status, 'completed')
    })

    it('reads errors by status, code and param', async () => {
      const wrong = (body: Partial<OpenAI.Videos.VideoCreateParams>) =>
        client.videos.create({ prompt: 'a boat', model: 'sora-2', ...body })
      await assert.rejects(wrong({ model: 'sora-9' }), refusalWith(404, 'model_not_found', 'model'))
      await assert.rejects(wrong({ prompt: '' }), refusalWith(400, 'missing_required_parameter', 'prompt'))
      await assert.rejects(
        wrong({ seconds: '30' as '4' }),
        refusalWith(400, 'invalid_parameter_value', 'seconds'),
      )
      await assert.rejects(
        wrong({ size: '640x480' as '720x1280' }),
        refusalWith(400, 'invalid_parameter_value', 'size'),
      )
      const text = await toFile(Buffer.from('no picture'), 'boat.png', { type: 'image/png' })
      const noPicture = wrong({ input_reference: text })
      await assert.rejects(noPicture, refusalWith(400, 'invalid_parameter_value', 'input_reference'))
      const empty = await toFile(Buffer.alloc(0), 'boat.png', { type: 'image/png' })
      await assert.rejects(
        wrong({ input_reference: empty }),
        refusalWith(400, 'invalid_parameter_value', 'input_reference'),
      )
    })

    it('reports a content rejection with the code of that API', async () => {
      const { id } = await client.videos.create({ prompt: 'sandbox:refuse' })
      const video = await finished(id)
      assert.deepEqual([video.status, video.error?.code], ['failed', 'moderation_blocked'])
    })

    it('lists all pages while jobs are added and deleted', async () => {
      const ids: string[] = []
      for (let count = 0; count < 5; count++)
        ids.unshift((await client.videos.create({ prompt: `boat ${count}` })).id)
      const seen: string[] = []
      for await (const { id } of client.videos.list({ limit: 2 })) {
        seen.push(id)
        if (seen.length === 1) await client.videos.create({ prompt: 'one more' })
        if (!ids.includes(id)) continue
        await finished(id)
        assert.deepEqual(await client.videos.delete(id), { id, object: 'video.deleted', deleted: true })
      }
      assert.deepEqual(seen.slice(0, 5), ids)
      assert.equal(new Set(seen).size, seen.length)
      const [first] = ids
      await assert.rejects(client.videos.retrieve(first ?? ''), refusalWith(404, 'not_found'))
      const rest = await client.videos.list({ limit: 100, order: 'asc' })
      assert.equal(
        rest.data.some(({ id }) => ids.includes(id)),
        false,
      )
      const times = rest.data.map((video) => video.created_at)
      assert.deepEqual(times, times.toSorted())
      await assert.rejects(
        client.videos.list({ after: 'vid_nowhere' }),
        refusalWith(400, 'invalid_parameter_value', 'after'),
      )
    })

    it('removes the file with the job', async () => {
      const { id } = await client.videos.create({ prompt: 'a boat' })
      await finished(id)
      const reply = await fetch(`${address}/api/jobs/${id}`)
      const { videos } = (await reply.json()) as { videos: { url: string }[] }
      const link = videos[0]?.url ?? ''
      assert.equal((await fetch(link)).status, 200)
      await client.videos.delete(id)
      assert.equal((await fetch(link)).status, 410)
    })

    it('cancels a running job by deleting it', async () => {
      const { id } = await client.videos.create({ prompt: 'sandbox:hang' })
      assert.deepEqual(await client.videos.delete(id), { id, object: 'video.deleted', deleted: false })
      const video = await finished(id)
      assert.deepEqual([video.status, video.error?.code], ['failed', 'canceled'])
      assert.equal((await client.videos.delete(id)).deleted, true)
    })

    it('remixes with a supported model, and otherwise names the supported ones', async () => {
      const source = await client.videos.create({ prompt: 'a boat' })
      const remix = { prompt: 'now in winter', model: 'wan-wavespeed-video-edit' }
      await assert.rejects(client.videos.remix(source.id, remix), refusalWith(409, 'conflict'))
      await finished(source.id)
      await assert.rejects(
        client.videos.remix(source.id, { prompt: 'now in winter' }),
        (error: openai7.APIError) => error.status === 400 && /wan-wavespeed-video-edit/.test(error.message),
      )
      const made = await client.videos.remix(source.id, remix)
      assert.equal(made.remixed_from_video_id, source.id)
      // The new job has a copy of its own.
      await client.videos.delete(source.id)
      assert.equal((await finished(made.id)).status, 'completed')
    })

    it('passes fields that the API does not have to the model', async () => {
      const body = {
        model: 'veo3-video',
        prompt: 'a boat',
        seconds: '8',
        size: '1920x1080',
        generateAudio: true,
        seed: 0,
      }
      const created = await client.videos.create(body as unknown as OpenAI.Videos.VideoCreateParams)
      assert.equal(created.size, '1920x1080')
      await finished(created.id)
      const sent = JSON.stringify((await upstreams.host.tasks('fal')).slice(-1))
      assert.match(sent, /"generate_audio":true/)
      assert.match(sent, /"seed":0/)
    })

    function refusalWith(status: number, code: string, param?: string) {
      return (error: unknown) => {
        assert.ok(error instanceof APIError)
        assert.deepEqual(
          [error.status, error.code, error.param],
          [status, code, param ?? null],
          error.message,
        )
        return true
      }
    }
  })
