import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { chromium } from 'playwright-core'
import { startGateway } from './gateway.ts'

const browsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

test('a real browser shows every operation without an error', async (t) => {
  const executablePath = browsers.find((path) => existsSync(path))
  const { app } = await startGateway(t)
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  const page = await fetch(`${address}/docs`)
  assert.equal(page.status, 200)
  const links = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '')
  for (const link of [...links, '/docs/json']) {
    const asset = await fetch(address + link)
    assert.equal(asset.status, 200, link)
    await asset.body?.cancel()
  }
  if (executablePath === undefined) {
    t.diagnostic('no Chromium on this machine: the page was not opened, only each of its files fetched')
    return
  }

  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  try {
    const tab = await browser.newPage()
    const problems: string[] = []
    tab.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    tab.on('pageerror', (error) => problems.push(error.message))
    tab.on('requestfailed', (request) => problems.push(`${request.url()} failed`))
    tab.on(
      'request',
      (request) =>
        request.url().startsWith(address) ||
        /^(data|blob):/.test(request.url()) ||
        problems.push(`${request.url()} is elsewhere`),
    )
    await tab.goto(`${address}/docs`)
    await tab.locator('.opblock').first().waitFor()
    const shown = await tab.locator('.opblock').count()
    const { paths } = (await (await fetch(`${address}/openapi.json`)).json()) as { paths: object }
    const told = Object.values(paths).flatMap((item: object) => Object.keys(item)).length
    assert.equal(shown, told)
    await tab.locator('#operations-Videos-submitVideo .opblock-summary-control').click()
    await tab.locator('#operations-Videos-submitVideo .opblock-body').waitFor()
    assert.deepEqual(problems, [])
  } finally {
    await browser.close()
  }
})
