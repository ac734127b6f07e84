/** The chat over its wire, on one, two and four scheduler threads: the same program. */

import { start } from 'beamish'
import t from 'tap'
import { LiveClient } from '../liveview/liveClient.ts'

const PAGES = 6
/** Fewer in all than the list keeps, so that a page shows every one. */
const MESSAGES_EACH = 15

process.env.PORT = '0'

for (const schedulers of [1, 2, 4]) {
  t.test(`${PAGES} pages chat on ${schedulers} scheduler threads`, async (t) => {
    const node = await start(new URL('../../apps/chat/chat.ts', import.meta.url), {
      schedulers,
      log: false,
      development: false,
      execArgv: ['--conditions=beamish-source'],
    })
    t.teardown(() => node.stop())
    const [address] = await node.addresses()
    const base = `http://127.0.0.1:${address?.port}`
    const pages: LiveClient[] = []
    const homes = async (): Promise<number> =>
      (await node.stats()).filter((stats) => stats.topics > 0).length
    // The kernel decides which thread gets a connection: open until two have one.
    do pages.push(await LiveClient.open(base, '/chat'))
    while (pages.length < PAGES || (schedulers > 1 && (await homes()) < 2))
    t.equal(
      (await homes()) > 1,
      schedulers > 1,
      'pages live on more than one thread where there are more',
    )

    await Promise.all(
      pages.slice(0, PAGES).map(async (page, sender) => {
        for (let i = 0; i < MESSAGES_EACH; i++)
          await page.submit('send', { text: `${sender}:${i}` })
      }),
    )
    for (const page of pages) {
      await page.until((html) => texts(html).length === PAGES * MESSAGES_EACH)
      for (let sender = 0; sender < PAGES; sender++) {
        t.strictSame(
          texts(page.html()).filter((text) => text.startsWith(`${sender}:`)),
          Array.from({ length: MESSAGES_EACH }, (_, i) => `${sender}:${i}`),
        )
      }
    }
    const [first] = pages
    await first?.submit('send', { text: '' })
    await first?.submit('send', { text: 'x'.repeat(501) })
    await first?.submit('send', { text: '<b>markup</b>' })
    await first?.until((html) => html.includes('&lt;b&gt;markup&lt;/b&gt;'))
    t.equal(
      texts(first?.html() ?? '').length,
      PAGES * MESSAGES_EACH + 1,
      'an empty or a too long text never reaches the handler',
    )
    t.strictSame(first?.events.at(-1), ['beamish:clear', { text: '<b>markup</b>' }])
    await Promise.all(pages.map((page) => page.close()))
  })
}

t.test('the list keeps the last 100 messages', async (t) => {
  const node = await start(new URL('../../apps/chat/chat.ts', import.meta.url), {
    schedulers: 1,
    log: false,
    development: true,
    execArgv: ['--conditions=beamish-source'],
  })
  t.teardown(() => node.stop())
  const [address] = await node.addresses()
  const page = await LiveClient.open(`http://127.0.0.1:${address?.port}`, '/chat')
  for (let i = 0; i < 120; i++) await page.submit('send', { text: `m${i}` })
  await page.until((html) => html.includes('>m119<'))
  t.strictSame(
    texts(page.html()),
    Array.from({ length: 100 }, (_, i) => `m${i + 20}`),
  )
  await page.close()
})

t.test('the root path leads to the chat', async (t) => {
  const node = await start(new URL('../../apps/chat/chat.ts', import.meta.url), {
    schedulers: 1,
    log: false,
    execArgv: ['--conditions=beamish-source'],
  })
  t.teardown(() => node.stop())
  const [address] = await node.addresses()
  const response = await fetch(`http://127.0.0.1:${address?.port}/`, { redirect: 'manual' })
  t.equal(response.status, 302)
  t.equal(response.headers.get('location'), '/chat')
})

function texts(html: string): string[] {
  return [...html.matchAll(/<span>([^<]*)<\/span>/g)].map((match) => match[1] ?? '')
}
