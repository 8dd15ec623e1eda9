import type { ProviderName } from '../../../providers/provider.ts'
import type { MockUpstream } from '../mock-upstream.ts'
import { bytedanceMock } from './bytedance.ts'
import { falMock } from './fal.ts'
import { longstoriesMock } from './longstories.ts'
import { magicapiMock } from './magicapi.ts'
import { midjourneyMock } from './midjourney.ts'
import { runwareMock } from './runware.ts'
import { wavespeedMock } from './wavespeed.ts'

const mocks: Readonly<Record<ProviderName, MockUpstream>> = {
  fal: falMock,
  wavespeed: wavespeedMock,
  runware: runwareMock,
  bytedance: bytedanceMock,
  midjourney: midjourneyMock,
  magicapi: magicapiMock,
  longstories: longstoriesMock,
}

export const mockUpstreams: readonly MockUpstream[] = Object.values(mocks)
