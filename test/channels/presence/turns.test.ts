// Updates by functions take turns: none of those who ended, or do not use theirs, keeps the others from theirs.
import { type Pid, type Self, supervisor, sys } from 'beamish'
import { type TestNode, testNode } from 'beamish/testing'
import t, { type Test } from 'tap'
import { tracker } from '../../../channels/presence/index.ts'
import { trackerRegistry } from '../../../channels/presence/server.ts'

const TOPIC = 'room'
const KEY = 'key'
const WAITING = 100
const Counted = tracker<{ n: number }>('turns-counted')

const live = (self: Self): Promise<unknown> => self.receive()

async function counted(t: Test): Promise<{ node: TestNode; guest: Pid; near: Pid }> {
  const node = await testNode({ schedulers: 2, app: supervisor({ children: [Counted.child()] }) })
  t.teardown(() => node.close())
  const guest = await node.spawn(live, { scheduler: 1 })
  await Counted.track(node.self, TOPIC, guest, KEY, { n: 0 })
  const near = await trackerRegistry('turns-counted').whereis(node.self, 1)
  return { node, guest, near: near! }
}

const increment = (guest: Pid) => (self: Self) =>
  Counted.update(self, TOPIC, guest, KEY, ({ n }) => ({ n: n + 1 }))

/** An update, and when it was done. */
const timed = (guest: Pid, to: Pid) => async (self: Self) => {
  const result = await increment(guest)(self)
  self.send(to, { result, atMs: self.now() })
}

async function nothingIsLeft(t: Test, node: TestNode, near: Pid): Promise<void> {
  const { state } = await sys.getStatus(node.self, near)
  t.match(state, { turns: 0 }, 'nobody waits')
  const info = await node.self.info(near)
  t.equal(info?.monitors.length, 2, 'it watches its guest and the other tracker')
}

t.test('those who end while they wait for their turn hold up nobody behind them', async (t) => {
  const { node, guest, near } = await counted(t)
  // One has the turn and does not use it, so that all the others wait.
  const idle = await node.spawn(
    async (self) => {
      await self.call(near, 'turn', { topic: TOPIC, pid: guest, key: KEY, asked: 0 })
      self.send(node.self.pid, 'has the turn')
      await self.receive()
    },
    { scheduler: 2 },
  )
  await node.assertReceive('has the turn')
  const waiting: Pid[] = []
  for (let i = 0; i < WAITING; i++) {
    waiting.push(await node.spawn(increment(guest), { scheduler: 1 + (i % 2) }))
  }
  await node.advance(1)
  t.match((await sys.getStatus(node.self, near)).state, { turns: WAITING + 1 })
  const fromMs = node.self.now()
  for (const pid of [...waiting, idle]) node.exit(pid, 'kill')
  await node.spawn(timed(guest, node.self.pid), { scheduler: 2 })
  const { result, atMs } = (await node.assertReceive({})) as { result: object; atMs: number }
  t.match(result, { ok: true })
  t.ok(atMs - fromMs < 100, `${atMs - fromMs} ms`)
  t.match(await Counted.list(node.self, TOPIC), [[KEY, { n: 1 }]])
  await node.advance(1)
  await nothingIsLeft(t, node, near)
})

t.test('those who waited longer than a call takes hold up nobody behind them', async (t) => {
  const { node, guest, near } = await counted(t)
  node.faults.freezeThread(1)
  for (let i = 0; i < WAITING; i++) {
    await node.spawn(
      async (self) => {
        const got = await increment(guest)(self).catch((error: Error) => error.message)
        self.send(node.self.pid, { got })
        await self.receive()
      },
      { scheduler: 2 },
    )
  }
  for (let i = 0; i < WAITING; i++) {
    const { got } = await node.assertReceive<{ got: unknown }>({}, { withinMs: 6_000 })
    t.match(got, /failed: timeout$/)
  }
  node.faults.unfreezeThread(1)
  const fromMs = node.self.now()
  await node.spawn(timed(guest, node.self.pid), { scheduler: 2 })
  const { result, atMs } = (await node.assertReceive({})) as { result: object; atMs: number }
  t.match(result, { ok: true })
  t.ok(atMs - fromMs < 100, `${atMs - fromMs} ms`)
  t.match(await Counted.list(node.self, TOPIC), [[KEY, { n: 1 }]])
  await nothingIsLeft(t, node, near)
})

t.test('an update whose guest left while it waited hears so', async (t) => {
  const { node, guest, near } = await counted(t)
  await node.self.call(near, 'turn', { topic: TOPIC, pid: guest, key: KEY, asked: 0 })
  await node.spawn(timed(guest, node.self.pid), { scheduler: 2 })
  await node.advance(1)
  node.exit(guest, 'kill')
  const { result } = (await node.assertReceive({})) as { result: object }
  t.same(result, { ok: false, error: 'nopresence' })
  t.match((await sys.getStatus(node.self, near)).state, { turns: 0 })
})
