/** A view that throws costs its own page a moment, and nobody else anything. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { start } from 'beamish'
import t from 'tap'
import { launchBrowser } from './chromium.ts'
import { connected, openPage } from './pages.ts'

const file = join(mkdtempSync(join(tmpdir(), 'beamish-crash-')), 'log')
const node = await start(new URL('./crash.app.ts', import.meta.url), {
  schedulers: 2,
  log: { file },
  development: false,
  execArgv: ['--conditions=beamish-source'],
})
const { browser } = await launchBrowser()
t.teardown(async () => {
  await browser.close()
  await node.stop()
})
const [address] = await node.addresses()
const url = `http://127.0.0.1:${address?.port}/`

t.test('a view that throws in handleEvent recovers by itself', async (t) => {
  const page = await openPage(browser, url)
  const other = await openPage(browser, url)
  await other.locator('#add').click()
  await page.locator('#heard', { hasText: '1' }).waitFor()
  await page.locator('#add').click()
  await page.locator('#count', { hasText: '1' }).waitFor()

  await page.evaluate(`
    window.rejoined = new Promise((resolve) => {
      const root = document.querySelector('[data-phx-main]')
      let lost = false
      new MutationObserver(() => {
        if (root.classList.contains('phx-error')) lost = true
        else if (lost && root.classList.contains('phx-connected')) resolve(true)
      }).observe(root, { attributes: true, attributeFilter: ['class'] })
    })
    window.sameDocument = true
  `)
  await page.locator('#crash').click()
  t.equal(await page.evaluate('window.rejoined'), true, 'joined again')
  await connected(page)
  t.equal(await page.locator('#count').textContent(), '0', 'a fresh view: its state died with it')
  t.equal(await page.evaluate('window.sameDocument'), true, 'without loading the page anew')
  await page.locator('#add').click()
  await page.locator('#count', { hasText: '1' }).waitFor()

  t.equal(await other.locator('#count').textContent(), '1', 'the other page kept its state')
  t.equal(await other.locator('.phx-error').count(), 0, 'and noticed nothing')

  const report = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => String(line.msg).includes('crashed'))
  t.equal(report.length, 1, 'one crash report')
  t.match(report[0], {
    behaviour: 'live view fragile',
    reason: 'TypeError: the handler of this event is broken',
    stack: /crash\.app\.ts/,
    lastMessage: /"event":"crash"/,
    state: /"count":1/,
  })
})
