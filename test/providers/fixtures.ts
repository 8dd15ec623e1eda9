import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { providers } from '../../providers/index.ts'
import type { Input } from '../../providers/input.ts'
import type { Order, Provider, ProviderName } from '../../providers/provider.ts'

const root = new URL('../fixtures/', import.meta.url)

/** The folders of fixtures; each is named after a provider. */
export const folders = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)

export const registered = Object.values(providers).filter((provider) => provider !== undefined)

/** Throws where the file is missing or is no JSON: a provider without fixtures is a failure, not a skip. */
export function readFixture<Content>(folder: string, file: string): Content {
  return JSON.parse(readFileSync(new URL(`${folder}/${file}`, root), 'utf8'))
}

export function providerOf(folder: string): Provider {
  const provider = providers[folder as ProviderName]
  assert(provider !== undefined, `test/fixtures/${folder} is named after no provider`)
  return provider
}

export type Circumstances = { callbackUrl?: string; settings?: Readonly<Record<string, string>> }

/** The order that every fixture was written for. */
export function orderFor(
  provider: Provider,
  input: Input,
  { callbackUrl, settings }: Circumstances = {},
): Order {
  const defaults = Object.entries(provider.settings ?? {}).map(([name, setting]) => [name, setting.default])
  return {
    jobId: 'vid_fixture0000000000',
    attempt: '00000000-0000-4000-8000-000000000001',
    input,
    at: new Date('2026-11-01T00:00:00Z'),
    settings: { ...Object.fromEntries(defaults), ...settings },
    ...(callbackUrl !== undefined && { callbackUrl }),
  }
}

/** As it travels: fields that are `undefined` are not there. */
export function wired(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
