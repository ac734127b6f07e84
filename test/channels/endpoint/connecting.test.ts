/** What may happen to a connection while its connect takes its time. */
import type { BeamishNode, BroadcastMessage } from 'beamish'
import t, { type Test } from 'tap'
import { baseOf } from '../../liveview/startApp.ts'
import { ask } from '../longPoll/pollClient.ts'
import { startSockets } from '../sockets.ts'
import { WireClient } from '../wireClient.ts'
import { RawUpgrade } from './rawUpgrade.ts'

const app = new URL('./connecting.app.ts', import.meta.url)

async function start(t: Test): Promise<{ node: BeamishNode; base: string }> {
  const sockets = await startSockets({ schedulers: 1, shutdownTimeoutMs: 20_000 }, app)
  t.teardown(() => sockets.node.stop())
  sockets.node.self.subscribe('test.connecting')
  return sockets
}

/** Resolves when the connect of this name runs. */
async function running(node: BeamishNode, name: string): Promise<void> {
  const told = await node.self.receive(
    (one): one is BroadcastMessage =>
      ((one as BroadcastMessage).payload as { name?: string } | undefined)?.name === name,
    30_000,
  )
  if (told === undefined) throw new Error(`the connect of ${name} did not run`)
}

const processes = async (node: BeamishNode): Promise<number> =>
  (await node.stats()).reduce((sum, one) => sum + one.processes, 0)

/** Resolves when no more processes are left than there were. */
async function backTo(node: BeamishNode, count: number): Promise<void> {
  while ((await processes(node)) > count) await node.self.sleep(5)
}

const slow = (name: string, mount = '/slow'): string => `${mount}/websocket?vsn=2.0.0&name=${name}`

t.test('a client that hangs up meanwhile ends its process and nothing else', async (t) => {
  const { node, base } = await start(t)
  const bystander = await WireClient.connect(base, { path: '/slow/websocket' })
  const [schedulers, before] = [node.schedulers(), await processes(node)]
  for (const how of ['reset', 'end'] as const) {
    const upgrades: RawUpgrade[] = []
    for (let i = 0; i < 8; i++) {
      upgrades.push(new RawUpgrade(base, { path: slow(`${how}${i}`) }))
      await running(node, `${how}${i}`)
    }
    for (const upgrade of upgrades) upgrade.hangUp(how)
    await backTo(node, before)
  }
  await bystander.settled()
  t.same(node.schedulers(), schedulers, 'no thread was lost')
  node.self.broadcast('test.gate', 'open', { name: 'end0' })
  await bystander.settled()
  await bystander.close()
})

t.test('one that sends more before its answer gets a 400, as in the line', async (t) => {
  const { node, base } = await start(t)
  const before = await processes(node)
  const upgrade = new RawUpgrade(base, { path: slow('speaks') })
  await running(node, 'speaks')
  upgrade.speak('too early')
  t.equal((await upgrade.answer).status, 400)
  await backTo(node, before)
})

t.test('a connect that answers in time opens its socket', async (t) => {
  const { node, base } = await start(t)
  const opened = WireClient.connect(base, { path: '/slow/websocket', params: { name: 'patient' } })
  await running(node, 'patient')
  node.self.broadcast('test.gate', 'open', { name: 'patient' })
  const wire = await opened
  t.match(await wire.join('room:patient'), { status: 'ok' })
  await wire.close()
})

t.test('a connect that takes over connectTimeoutMs is answered 503, a poll 500', async (t) => {
  const { node, base } = await start(t)
  const before = await processes(node)
  const upgrade = new RawUpgrade(base, { path: slow('late', '/hasty') })
  t.equal((await upgrade.answer).status, 503)
  const params = { name: 'late poll' }
  t.match(await ask(base, { path: '/hasty/longpoll', params }), { http: 200, status: 500 })
  await backTo(node, before)
})

t.test('a polling client that hangs up meanwhile ends its session', async (t) => {
  const { node, base } = await start(t)
  const before = await processes(node)
  const hangUp = new AbortController()
  const asked = ask(base, {
    path: '/slow/longpoll',
    params: { name: 'poll' },
    signal: hangUp.signal,
  }).catch(() => 'gone')
  await running(node, 'poll')
  hangUp.abort()
  t.equal(await asked, 'gone')
  await backTo(node, before)
})

for (const id of ['endpoint', 'untold']) {
  t.test(`a node that stops refuses those that still connect (${id})`, async (t) => {
    const { node } = await start(t)
    const base = await baseOf(node, id)
    const names = Array.from({ length: 20 }, (_, i) => `${id}${i}`)
    const upgrades: RawUpgrade[] = []
    for (const name of names) {
      upgrades.push(new RawUpgrade(base, { path: slow(name) }))
      await running(node, name)
    }
    const poll = ask(base, { path: '/slow/longpoll', params: { name: `${id} poll` } })
    await running(node, `${id} poll`)
    const startedMs = performance.now()
    await node.stop()
    for (const { answer } of upgrades) t.equal((await answer).status, 503)
    t.match(await poll, { http: 200, status: 500 })
    t.ok(performance.now() - startedMs < 10_000, 'and does not wait for their connect')
  })
}
