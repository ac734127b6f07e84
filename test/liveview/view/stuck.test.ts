/** A live view that does not come back costs the pages of its thread a reconnect, and everybody else nothing. */
import type { BeamishNode } from 'beamish'
import t from 'tap'
import { nextEvent, startNode } from '../../runtime/kit.ts'
import { LiveClient } from '../liveClient.ts'
import { baseOf } from '../startApp.ts'

const open = (): Promise<BeamishNode> =>
  startNode(new URL('./stuck.app.ts', import.meta.url), 2, { maxBlockedMs: 3_000 })

t.test('the report names the view, its event and the line', async (t) => {
  const node = await open()
  t.teardown(() => node.stop())
  const base = await baseOf(node)
  const pages = await Promise.all(Array.from({ length: 8 }, () => LiveClient.open(base, '/')))
  const lost = nextEvent('schedulerLost')
  const [first, ...others] = pages
  void first?.click('spin').catch(() => {})
  const { ranLast, stack } = await lost
  t.match(ranLast, { behaviour: 'live view stuck', message: 'spin' })
  t.match(stack?.[0], /^forEver \(.*stuck\.app\.ts:7:/)
  const answers = await Promise.allSettled(others.map((page) => page.click('count')))
  t.ok(
    answers.every((answer, i) => answer.status === 'rejected' || others[i]?.text('count') === '1'),
    'a page of the other thread counts on, one of the lost thread is closed',
  )
  const again = await LiveClient.open(base, '/')
  await again.click('count')
  t.equal(again.text('count'), '1', 'new pages are served')
})

t.test('so it does when mount does not come back', async (t) => {
  const node = await open()
  t.teardown(() => node.stop())
  const lost = nextEvent('schedulerLost')
  void LiveClient.open(await baseOf(node), '/?at=mount').catch(() => {})
  t.match((await lost).ranLast, { behaviour: 'live view stuck', message: 'mount' })
})
