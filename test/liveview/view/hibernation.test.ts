/** Views that hibernate: their pages notice nothing. */
import { type Pid, start, sys } from 'beamish'
import { liveView } from 'beamish/liveview'
import t from 'tap'
import { LiveClient } from '../liveClient.ts'
import { living } from './hibernation.app.ts'

const node = await start(new URL('./hibernation.app.ts', import.meta.url), {
  schedulers: 1,
  log: false,
  development: false,
  execArgv: ['--conditions=beamish-source'],
})
t.teardown(() => node.stop())
const [address] = await node.addresses()
const base = `http://127.0.0.1:${address?.port}`
const { self } = node

/** The view that came last. */
const viewOf = async (key: string): Promise<Pid> =>
  (await living.lookup(self, key)).at(-1)?.pid as Pid

const asleep = async (pid: Pid): Promise<void> => {
  while ((await self.info(pid))?.status !== 'hibernated') await self.sleep(1)
}

t.test('a page whose view slept is told what changed, and nothing else', async (t) => {
  const view = await LiveClient.open(base, '/')
  const pid = await viewOf('list')
  await asleep(pid)
  t.equal(view.diffs.length, 0)
  const added = await view.submit('add', { text: 'after a sleep' })
  t.equal(view.text('count'), '61')
  t.match(view.html(), /<li>row 59, which has something to say<\/li><li>after a sleep<\/li>/)
  t.notMatch(JSON.stringify(added.response), /row 1|row 59|"s"/, 'what stays is not sent again')
  await asleep(pid)
  const changed = await view.click('change', { id: 3 })
  t.match(view.html(), /<li>row 2, [^<]*<\/li><li>changed<\/li>/)
  t.notMatch(JSON.stringify(changed.response), /row 2|row 4/)
  await asleep(pid)
  await view.click('broadcast')
  await view.until((html) => html.includes('<li>news</li>'))
  t.equal(view.text('count'), '62')
  await view.close()
})

t.test('it sleeps and wakes 100 times with the same page', async (t) => {
  const view = await LiveClient.open(base, '/')
  const pid = await viewOf('list')
  for (let i = 0; i < 100; i++) {
    await asleep(pid)
    await view.click('change', { id: 100 + i })
  }
  t.match(await sys.getState(self, pid), { rows: [{ id: 0 }], renders: 0 })
  t.equal(view.text('count'), '60')
  t.same(
    view.diffs.filter((diff) => JSON.stringify(diff).includes('row')),
    [],
  )
  await view.close()
})

t.test('sys shows its assigns while it sleeps, and what replaces them is shown', async (t) => {
  const view = await LiveClient.open(base, '/')
  const pid = await viewOf('list')
  await asleep(pid)
  const { rows } = await sys.getState<{ rows: { id: number; text: string }[] }>(self, pid)
  t.equal(rows.length, 60)
  t.match(await sys.getStatus(self, pid), { hibernated: true, info: { status: 'running' } })
  await sys.replaceState(self, pid, { state: { rows: rows.slice(0, 2), renders: 1 } })
  await view.until((html) => html.includes('id="count" title="2"'))
  await asleep(pid)
  await self.stop(pid, { shutdown: 'asked' })
  t.equal(await self.alive(pid), false)
  await view.close()
})

t.test('one whose assigns are no data stays awake, and goes on', async (t) => {
  const view = await LiveClient.open(base, '/stubborn')
  const pid = await viewOf('stubborn')
  // Idle for as long as another one, which did fall asleep.
  const other = await LiveClient.open(base, '/')
  await asleep(await viewOf('list'))
  t.not((await self.info(pid))?.status, 'hibernated')
  t.equal(view.text('now'), '1')
  await view.close()
  await other.close()
})

t.test('a hibernateAfterMs that is none is refused', async (t) => {
  for (const hibernateAfterMs of [0, -5, Number.NaN]) {
    const define = () =>
      liveView('refused', {
        hibernateAfterMs,
        mount: (_params, _session, socket) => socket.assign({}),
        render: () => undefined as never,
      })
    t.throws(define, { code: 'BEAMISH_BAD_OPTION', message: /hibernateAfterMs of live view/ })
  }
})
