/** What the code of a view, or of a plugin, leaves behind ends that view, or that listener, and not its thread. */
import { start } from 'beamish'
import t, { type Test } from 'tap'
import { type KindName, kinds } from '../../runtime/node/apps/strays.ts'
import { LiveClient } from '../liveClient.ts'
import { baseOf } from '../startApp.ts'
import { Crashes } from './strays.app.ts'

const node = await start(new URL('./strays.app.ts', import.meta.url), {
  schedulers: 1,
  log: false,
  development: false,
  execArgv: ['--conditions=beamish-source'],
})
t.teardown(() => node.stop())
const base = await baseOf(node)
const crashes = Crashes.named('crashes')
const kindNames = Object.keys(kinds) as KindName[]
const neighbour = await LiveClient.open(base, '/leaving')

const neighbourLives = async (t: Test): Promise<void> => {
  const before = Number(neighbour.text('looks'))
  await neighbour.click('look')
  t.equal(neighbour.text('looks'), String(before + 1), 'its neighbour goes on')
  t.same(node.schedulers(), [1], 'and so does the thread')
}

for (const kind of kindNames) {
  const { stray } = kinds[kind]
  for (const when of ['at once', 'after an await']) {
    t.test(`${kind}, left ${when} in a handler, ends the view`, async (t) => {
      const view = await LiveClient.open(base, '/leaving')
      t.equal((await view.click('leave', { kind, when })).status, 'ok')
      t.equal((await view.ended).event, 'phx_error')
      const behaviour = 'live view test.leaving'
      t.match(await node.self.call(crashes, 'take'), [{ behaviour, stray }])
      const again = await LiveClient.join(view.wire, view.page)
      t.equal((await again.click('look')).status, 'ok', 'its page can join again')
      await view.close()
      await neighbourLives(t)
    })
  }
}

t.test('process.exit in a handler ends the view', async (t) => {
  const view = await LiveClient.open(base, '/leaving')
  // Like one that is killed it answers nothing any more.
  view.click('exit').catch(() => undefined)
  t.equal((await view.ended).event, 'phx_error')
  t.match(await node.self.call(crashes, 'take'), [{ stray: 'process.exit' }])
  await view.close()
  await neighbourLives(t)
})

t.test('what the first render leaves behind is that of its process', async (t) => {
  const kind = 'a forgotten await of Node'
  const page = await fetch(`${base}/leaving?mount=dead&kind=${encodeURIComponent(kind)}`)
  t.equal(page.status, 200)
  const message = new RegExp(`page of live view test.leaving .*which has ended, .*${kind}`)
  t.match(await node.self.call(crashes, 'nextNotice'), { code: 'stray_after_exit', message })
  await neighbourLives(t)
})

t.test('what a route of a plugin leaves behind ends the listener, which comes back', async (t) => {
  const answer = await fetch(`${base}/leave/a timer`)
  t.equal(await answer.text(), 'left')
  await neighbour.wire.closed
  let page: LiveClient | undefined
  while (page === undefined) page = await LiveClient.open(base, '/leaving').catch(() => undefined)
  t.equal((await page.click('look')).status, 'ok')
  const report = { behaviour: 'beamish.endpoint', stray: 'uncaughtException' }
  t.match(await node.self.call(crashes, 'take'), [report])
  t.same(node.schedulers(), [1])
  await page.close()
  const started = performance.now()
  await node.stop()
  t.ok(performance.now() - started < 10_000, 'the one that ended does not hold up the stop')
})
