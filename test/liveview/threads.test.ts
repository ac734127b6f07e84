import t from 'tap'
import type { WireClient } from '../channels/wireClient.ts'
import { connect, LiveClient, type Page, visit } from './liveClient.ts'
import { baseOf, startApp } from './startApp.ts'

const node = await startApp({ log: false })
t.teardown(() => node.stop())
const base = await baseOf(node)

/** Joins until the view runs on another thread than the page was rendered on, or on the one asked for. */
async function joinOn(page: Page, wanted: (scheduler: string) => boolean): Promise<LiveClient> {
  const wires: WireClient[] = []
  try {
    for (let i = 0; i < 200; i++) {
      const wire = await connect(page)
      const view = await LiveClient.join(wire, page)
      if (wanted(view.text('scheduler'))) return view
      // Kept open: a closed one could give its place to the next.
      wires.push(wire)
    }
  } finally {
    for (const wire of wires) await wire.close()
  }
  throw new Error('200 connections all went to the same thread')
}

const rendered = (page: Page): string => /id="scheduler">(\d+)/.exec(page.html)?.[1] ?? ''

t.test('a page rendered on one thread joins on another', async (t) => {
  for (let i = 0; i < 2; i++) {
    const page = await visit(base, '/where')
    const view = await joinOn(page, (scheduler) => scheduler !== rendered(page))
    t.not(view.text('scheduler'), rendered(page))
    await view.click('look')
    t.equal(view.text('looks'), '1')
    await view.close()
  }
})

t.test(
  'a broadcast reaches views on every thread, and what changed is sent once to each',
  async (t) => {
    const path = '/room/threads'
    const one = await joinOn(
      await visit(base, `${path}?name=Ada`),
      (scheduler) => scheduler === '1',
    )
    const two = await joinOn(
      await visit(base, `${path}?name=Bob`),
      (scheduler) => scheduler === '2',
    )
    await one.submit('send', { text: 'hello <all>' })
    await two.submit('send', { text: 'hi' })
    const complete = (html: string): boolean => html.includes('hello') && html.includes('hi</li>')
    const pages = await Promise.all([one.until(complete), two.until(complete)])
    for (const html of pages) t.match(html, /<li><b>Ada<\/b> hello &lt;all&gt;<\/li>/)
    const before = two.diffs.length
    await one.submit('send', { text: 'third' })
    await two.until((html) => html.includes('third'))
    t.equal(two.diffs.length, before + 1)
    t.notMatch(JSON.stringify(two.diffs.at(-1)), /hello/, 'the rows that stay are not sent again')
    await one.close()
    await two.close()
  },
)

t.test(
  'a thread is killed: the other goes on, and the page joins on the replacement',
  async (t) => {
    const page = await visit(base, '/where')
    const room = await visit(base, '/room/kill?name=Ada')
    const survivor = await joinOn(room, (scheduler) => scheduler === '1')
    const lost = await joinOn(room, (scheduler) => scheduler === '2')
    node.killThread(2)
    t.equal((await lost.wire.closed).code, 1006)
    await survivor.submit('send', { text: 'still here' })
    await survivor.until((html) => html.includes('still here'))
    while (!node.schedulers().includes(3)) await visit(base, '/where').catch(() => {})
    const view = await joinOnEventually(page, '3')
    t.equal(view.text('scheduler'), '3')
    const chatting = await joinOn(room, (scheduler) => scheduler === '3')
    await chatting.submit('send', { text: 'back again' })
    await survivor.until((html) => html.includes('back again'))
    await Promise.all([survivor.close(), view.close(), chatting.close()])
  },
)

/** The replacement has to boot before it accepts. */
async function joinOnEventually(page: Page, scheduler: string): Promise<LiveClient> {
  for (;;) {
    try {
      return await joinOn(page, (one) => one === scheduler)
    } catch (error) {
      if (!String(error).includes('same thread')) throw error
    }
  }
}
