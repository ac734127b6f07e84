import t from 'tap'
import { connect, LiveClient, visit } from '../../liveview/liveClient.ts'
import { baseOf, startApp } from '../../liveview/startApp.ts'

process.env.BEAMISH_TEST_REUSE_PORT = 'false'
const node = await startApp()
t.teardown(() => node.stop())
const base = await baseOf(node)

/** The thread that accepts is the one that renders pages. */
const accepting = async (): Promise<number> =>
  Number(/id="scheduler">(\d+)/.exec((await visit(base, '/where')).html)?.[1])

/** Views that share one socket, so that they outnumber the transports: each goes where the fewest processes are. */
async function openTogether(path: string, count: number): Promise<LiveClient[]> {
  const first = await visit(base, `${path}?name=n0`)
  const wire = await connect(first)
  const views = [await LiveClient.join(wire, first)]
  for (let i = 1; i < count; i++) {
    const page = await visit(base, `${path}?name=n${i}`, { cookie: first.cookie })
    views.push(await LiveClient.join(wire, page))
  }
  return views
}

t.test('one thread accepts, views run on both, and a chat goes through all of them', async (t) => {
  const acceptors = new Set<number>()
  for (let i = 0; i < 20; i++) acceptors.add(await accepting())
  t.equal(acceptors.size, 1)
  const views = await openTogether('/room/one', 40)
  const threads = new Set(views.map((view) => Number(view.text('scheduler'))))
  t.same([...threads].sort(), [1, 2])
  for (const [i, view] of views.entries()) await view.submit('send', { text: `from ${i}` })
  for (const view of views) {
    const html = await view.until((html) => html.includes('from 39'))
    for (const i of [...views.keys()].slice(-20)) t.match(html, `<b>n${i}</b> from ${i}`)
  }
  await views[0]?.close()
})

t.test('a crash, a leave and a close end views on the other thread as on this one', async (t) => {
  const views: LiveClient[] = []
  for (let i = 0; i < 6; i++) views.push(await LiveClient.open(base, `/counter/${i}`))
  for (const view of views) {
    t.equal((await view.click('crash')).status, 'error')
    t.equal((await view.ended).event, 'phx_error')
    const again = await LiveClient.join(view.wire, view.page)
    t.equal((await again.leave()).status, 'ok')
    t.equal((await again.ended).event, 'phx_close')
    await view.close()
  }
})

t.test('events sent along with the join wait for it, wherever the view runs', async (t) => {
  for (let i = 0; i < 6; i++) {
    const view = await LiveClient.open(base, `/counter/early-${i}`)
    const { wire, topic, page } = view
    const joinRef = `again ${i}`
    const replies = [wire.replyTo(joinRef), wire.replyTo(`${i} a`), wire.replyTo(`${i} b`)]
    const payload = { url: page.url, session: page.session, params: {}, static: null }
    const add = { type: 'click', event: 'add', value: { n: 1 } }
    wire.send({ joinRef, ref: joinRef, topic, event: 'phx_join', payload })
    wire.send({ joinRef, ref: `${i} a`, topic, event: 'event', payload: add })
    wire.send({ joinRef, ref: `${i} b`, topic, event: 'event', payload: add })
    const frames = await Promise.all(replies)
    t.match(frames.at(-1)?.payload, { status: 'ok', response: { diff: { 2: '2' } } })
    await view.close()
  }
})

t.test('the other thread is killed: its views are in error, their sockets live on', async (t) => {
  const acceptor = await accepting()
  const views = await openTogether('/room/other-killed', 40)
  const on = (thread: (scheduler: number) => boolean): LiveClient[] =>
    views.filter((view) => thread(Number(view.text('scheduler'))))
  const staying = on((scheduler) => scheduler === acceptor)
  const losing = on((scheduler) => scheduler !== acceptor)
  t.ok(staying.length > 0 && losing.length > 0)
  node.killThread(acceptor === 1 ? 2 : 1)
  for (const view of losing) t.equal((await view.ended).event, 'phx_error')
  const [speaker] = staying
  await speaker?.submit('send', { text: 'who is left?' })
  for (const view of staying) await view.until((html) => html.includes('who is left?'))
  for (const view of losing) {
    const again = await LiveClient.join(view.wire, view.page)
    t.equal((await again.submit('send', { text: 'me' })).status, 'ok')
  }
  await speaker?.close()
  while (node.schedulers().length < 2) await node.self.sleep(5)
})

t.test('the accepting thread is killed: the other takes over the port', async (t) => {
  const before = await accepting()
  const view = await LiveClient.open(base, '/room/kill')
  node.killThread(before)
  t.equal((await view.wire.closed).code, 1006)
  const after = await eventually(accepting)
  t.not(after, before)
  t.equal(await baseOf(node), base, 'on the same port')
  while (node.schedulers().length < 2) await node.self.sleep(5)
  const views = await openTogether('/room/after-kill', 40)
  t.equal(new Set(views.map((one) => one.text('scheduler'))).size, 2, 'views run on both again')
  await views[0]?.submit('send', { text: 'we are back' })
  for (const one of views) await one.until((html) => html.includes('we are back'))
  t.equal(await accepting(), after)
  await views[0]?.close()
})

/** Nobody listens for a moment. */
async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch {
      await node.self.sleep(5)
    }
  }
}
