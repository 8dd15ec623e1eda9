import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { chromium } from 'playwright-core'
import { startGateway } from '../gateway.ts'

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
    const operationCount = Object.values(paths).flatMap((item: object) => Object.keys(item)).length
    assert.equal(shown, operationCount)
    await tab.locator('#operations-Videos-submitVideo .opblock-summary-control').click()
    await tab.locator('#operations-Videos-submitVideo .opblock-body').waitFor()
    assert.deepEqual(problems, [])
  } finally {
    await browser.close()
  }
})

for (const { what, headers, publicUrl, server } of [
  {
    what: 'a trusted proxy says',
    headers: { 'x-forwarded-prefix': '/video' },
    publicUrl: undefined,
    server: '/video',
  },
  {
    what: 'PUBLIC_URL says',
    headers: {},
    publicUrl: 'https://reel.example/video',
    server: 'https://reel.example/video',
  },
]) {
  test(`the documentation works below a path that ${what}`, async (t) => {
    const { app } = await startGateway(t, { config: { bodyLimitBytes: 1000, publicUrl } })
    const get = (url: string) => app.inject({ url, headers })
    for (const path of ['/openapi.json', '/docs/json']) {
      assert.deepEqual((await get(path)).json().servers, [{ url: server }], path)
    }
    for (const page of ['/docs', '/docs/']) {
      const links = [...(await get(page)).body.matchAll(/(?:src|href)="([^"]+)"/g)].map(
        ([, link]) => link ?? '',
      )
      assert.ok(links.length > 3)
      for (const link of links) {
        const { pathname } = new URL(link, `https://reel.example/video${page}`)
        assert.match(pathname, /^\/video\/docs\/static\//)
        assert.equal((await get(pathname.slice('/video'.length))).statusCode, 200, link)
      }
    }
    assert.equal((await get('/docs/static/index.html')).headers.location, '/video/docs/')
    assert.equal((await app.inject('/openapi.json')).json().servers === undefined, publicUrl === undefined)
  })
}
