/** The chat in a real browser, on two scheduler threads. */

import { start } from 'beamish'
import type { Page } from 'playwright-core'
import t from 'tap'
import { launchBrowser } from './chromium.ts'
import { messages, openPage, say, shows } from './pages.ts'

process.env.PORT = '0'
const node = await start(new URL('../../apps/chat/chat.ts', import.meta.url), {
  schedulers: 2,
  log: false,
  development: false,
  execArgv: ['--conditions=beamish-source'],
})
const { browser, source } = await launchBrowser()
t.comment(`browser from ${source}`)
t.teardown(async () => {
  await browser.close()
  await node.stop()
})
const [address] = await node.addresses()
const url = `http://127.0.0.1:${address?.port}/chat`

/** What the functions below find in the page; the page's policy forbids to evaluate strings while it polls. */
declare const document: { querySelector(selector: string): { readonly value: string } | null }
declare const seen: readonly string[]
const fieldIsEmpty = (): boolean => document.querySelector('input[name="text"]')?.value === ''
const FIELD_HAS_FOCUS = `document.activeElement === document.querySelector('input[name="text"]')`
/**
 * Notes each message as the page shows it: the list keeps the last 100 only. The client reuses elements for other messages,
 * so they are told apart by their text; twice the same one at the same time is a double.
 */
const NOTE_MESSAGES = `
  window.seen = []
  window.doubled = []
  const known = new Set()
  const note = () => {
    const texts = [...document.querySelectorAll('#messages li span')]
      .map((span) => span.textContent)
      .filter((text) => /^[0-9]:[0-9]+$/.test(text))
    for (const text of texts) {
      if (!known.has(text)) seen.push(text)
      known.add(text)
    }
    if (new Set(texts).size !== texts.length) doubled.push(texts.join(' '))
  }
  new MutationObserver(note).observe(document.querySelector('#messages'), {
    childList: true,
    subtree: true,
    characterData: true,
  })
`

/** Threads that run a view: those with a subscriber of the chat. */
const threadsWithPages = async (): Promise<number[]> =>
  (await node.stats()).filter((stats) => stats.topics > 0).map((stats) => stats.scheduler)

/** Opens pages until two threads each serve one: the kernel decides which thread gets a connection. */
async function pagesOnTwoThreads(): Promise<[Page, Page]> {
  const first = await openPage(browser, url)
  const [home] = await threadsWithPages()
  for (let i = 0; i < 30; i++) {
    const second = await openPage(browser, url)
    if ((await threadsWithPages()).length === 2) return [first, second]
    await second.context().close()
  }
  throw new Error(`30 connections all landed on scheduler ${home}`)
}

t.test('what one page says appears in the other, across threads, both ways', async (t) => {
  const [first, second] = await pagesOnTwoThreads()
  t.equal((await threadsWithPages()).length, 2, 'the pages live on two threads')
  await say(first, 'hello from one')
  await shows(second, 'hello from one')
  await shows(first, 'hello from one')
  await say(second, 'hello from two')
  await shows(first, 'hello from two')
  const seen = await messages(first)
  t.strictSame(
    seen.map((message) => message.text),
    ['hello from one', 'hello from two'],
  )
  t.strictSame(await messages(second), seen, 'both pages show the same')
  t.not(seen[0]?.name, '', 'a name stands beside each')
  await Promise.all([first.context().close(), second.context().close()])
})

t.test('after Enter the field is empty and still has the focus', async (t) => {
  const page = await openPage(browser, url)
  const input = page.locator('input[name="text"]')
  await input.focus()
  await say(page, '  typed and sent  ')
  await shows(page, 'typed and sent')
  await page.waitForFunction(fieldIsEmpty)
  t.equal(await page.evaluate(FIELD_HAS_FOCUS), true)
  await page.keyboard.type('and on it goes')
  t.equal(await input.inputValue(), 'and on it goes', 'typing goes on without a click')
  await page.context().close()
})

t.test('half-typed text survives a message from another page', async (t) => {
  const [writer, other] = await Promise.all([openPage(browser, url), openPage(browser, url)])
  const input = writer.locator('input[name="text"]')
  await input.pressSequentially('half a sent')
  await say(other, 'an interruption')
  await shows(writer, 'an interruption')
  t.equal(await input.inputValue(), 'half a sent')
  t.equal(await writer.evaluate(FIELD_HAS_FOCUS), true)
  await Promise.all([writer.context().close(), other.context().close()])
})

t.test('hostile text stays text', async (t) => {
  const page = await openPage(browser, url)
  const hostile = `<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>&lt;'"`
  await page.locator('input[name="text"]').fill(hostile)
  await page.keyboard.press('Enter')
  await shows(page, hostile)
  t.equal((await messages(page)).at(-1)?.text, hostile)
  t.equal(await page.evaluate(`'hacked' in window`), false)
  await page.context().close()
})

t.test('200 messages from 10 pages arrive everywhere, in order per sender', async (t) => {
  const pages = await Promise.all(Array.from({ length: 10 }, () => openPage(browser, url)))
  t.equal((await threadsWithPages()).length, 2, 'the pages live on two threads')
  for (const page of pages) await page.evaluate(NOTE_MESSAGES)
  await Promise.all(
    pages.map(async (page, sender) => {
      for (let i = 0; i < 20; i++) {
        await page.locator('input[name="text"]').fill(`${sender}:${i}`)
        await page.keyboard.press('Enter')
        await page.waitForFunction(fieldIsEmpty)
      }
    }),
  )
  for (const page of pages) {
    await page.waitForFunction(() => seen.length >= 200)
    const texts = (await page.evaluate('seen')) as string[]
    t.equal(texts.length, 200, 'none lost')
    t.strictSame(await page.evaluate('doubled'), [], 'none doubled')
    for (let sender = 0; sender < 10; sender++) {
      t.strictSame(
        texts.filter((text) => text.startsWith(`${sender}:`)),
        Array.from({ length: 20 }, (_, i) => `${sender}:${i}`),
        `sender ${sender} in order`,
      )
    }
  }
  await Promise.all(pages.map((page) => page.context().close()))
})
