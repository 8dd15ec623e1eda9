import type { MockUpstream } from '../mock-upstream.ts'
import { bytedanceMock } from './bytedance.ts'
import { falMock } from './fal.ts'
import { longstoriesMock } from './longstories.ts'
import { magicapiMock } from './magicapi.ts'
import { midjourneyMock } from './midjourney.ts'
import { runwareMock } from './runware.ts'
import { wavespeedMock } from './wavespeed.ts'

export const mockUpstreams: readonly MockUpstream[] = [
  falMock,
  wavespeedMock,
  runwareMock,
  bytedanceMock,
  midjourneyMock,
  magicapiMock,
  longstoriesMock,
]
