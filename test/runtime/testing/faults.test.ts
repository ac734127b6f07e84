import { type DownMessage, formatReason, type Pid, supervisor } from 'beamish'
import { type TestNode, testNode } from 'beamish/testing'
import t from 'tap'
import { rejection } from '../kit.ts'
import { Counter, Teller } from './servers.ts'

async function opened(t: { teardown(end: () => void): void }, options = {}): Promise<TestNode> {
  const node = await testNode(options)
  t.teardown(() => node.close())
  return node
}

const faultsOf = (node: TestNode): string[] =>
  node.timeline.events.flatMap((event) => (event.kind === 'fault' ? [event.text] : []))

for (const where of ['on one thread', 'across threads']) {
  const second = where === 'on one thread' ? 1 : 2
  /** A teller on thread 1 and a counter. */
  const pair = async (node: TestNode) => {
    const teller = await node.spawn(Teller, undefined, { place: { scheduler: 1 } })
    const listener = await node.spawn(
      async (self) => {
        for (;;) self.send(node.self.pid, await self.receive())
      },
      { scheduler: second },
    )
    const tell = (text: unknown): void => node.self.send(teller, { to: listener, text })
    return { teller, listener, tell }
  }

  t.test(`${where}: messages between two processes are dropped`, async (t) => {
    const node = await opened(t)
    const { teller, listener, tell } = await pair(node)
    node.faults.drop(teller, listener, { count: 2 })
    for (let i = 1; i <= 4; i++) tell(i)
    t.equal(await node.assertReceive((m: unknown) => typeof m === 'number'), 3)
    t.equal(await node.assertReceive((m: unknown) => typeof m === 'number'), 4)
    t.equal(faultsOf(node).length, 2)
    t.match(node.timeline(), /-> anonymous <[\d.]+>: send 2 \(dropped\)/)
    node.faults.drop('any', listener)()
    tell(5)
    await node.assertReceive(5)
  })

  t.test(`${where}: messages are delayed, in order, and those behind them are not`, async (t) => {
    const node = await opened(t)
    const { teller, listener, tell } = await pair(node)
    node.faults.delay(teller, listener, 300, { count: 2 })
    for (let i = 1; i <= 2; i++) tell(i)
    await node.refuteReceive(1, { withinMs: 299 })
    t.equal(await node.assertReceive((m: unknown) => typeof m === 'number'), 1)
    t.equal(await node.assertReceive((m: unknown) => typeof m === 'number'), 2)
    t.equal(node.now, 300)
    tell(3)
    await node.assertReceive(3)
    t.equal(node.now, 300)
  })

  t.test(`${where}: a message comes twice`, async (t) => {
    const node = await opened(t)
    const { teller, listener, tell } = await pair(node)
    node.faults.duplicate(teller, listener, { count: 1 })
    tell('a')
    tell('b')
    for (const text of ['a', 'a', 'b']) await node.assertReceive(text)
    await node.refuteReceive('b')
  })
}

t.test('a process crashes at its nth message, and is killed at it', async (t) => {
  const node = await opened(t)
  const [crashes, killed] = [await node.spawn(Counter, 0), await node.spawn(Counter, 0)]
  node.faults.crash(crashes, { atMessage: 3, error: new TypeError('planted') })
  node.faults.kill(killed, { atMessage: 2 })
  for (const pid of [crashes, killed]) {
    node.self.cast(pid, 'add', 1)
    t.equal(await node.self.call(pid, 'read').catch(() => 'ended'), pid === killed ? 'ended' : 1)
  }
  t.match(await rejection(node.self.call(crashes, 'read')), {
    reason: { error: { message: 'planted' } },
  })
  await node.assertTerminated(crashes, { reason: /planted/, terminateRan: true })
  await node.assertTerminated(killed, { reason: 'killed', terminateRan: false })
  t.match(faultsOf(node), [/is killed at "read"/, /crashes at "read": TypeError: planted/])
})

t.test('a raw process is struck in its receive()', async (t) => {
  const node = await opened(t)
  const [crashes, killed] = [
    await node.spawn(Teller, undefined),
    await node.spawn(Teller, undefined),
  ]
  node.faults.crash(crashes)
  node.faults.kill(killed)
  for (const pid of [crashes, killed]) node.self.send(pid, 'x')
  await node.assertExit(crashes, /a fault of the test/)
  await node.assertExit(killed, 'killed')
})

t.test('by name a fault strikes whoever has the name then', async (t) => {
  const node = await opened(t, { children: [Counter.child(0, { name: 'hits' })] })
  node.faults.crash('hits')
  node.faults.drop('any', 'hits', { count: 1 })
  node.self.cast('hits', 'add', 1)
  node.self.cast('hits', 'add', 2)
  await node.assertRestarted('hits')
  node.faults.kill('hits')
  node.self.cast('hits', 'add', 1)
  await node.assertRestarted('hits')
  t.equal(await node.self.call('hits', 'read'), 0)
})

t.test('init fails so many times', async (t) => {
  const app = supervisor({ children: [Counter.child(4, { name: 'hits' })], maxRestarts: 3 })
  const node = await opened(t, { app })
  node.faults.failInit(Counter, { times: 2, reason: 'not yet' })
  node.exit((await node.self.whereis('hits')) as Pid, 'boom')
  await node.assertRestarted('hits')
  t.equal(await node.self.call('hits', 'read'), 4)
  t.equal(
    faultsOf(node).filter((text) => /init of testing\.counter fails: not yet/.test(text)).length,
    2,
  )
  node.faults.failInit(Counter.name, { times: 9 })
  node.exit((await node.self.whereis('hits')) as Pid, 'boom')
  const root = await node.self.whereis('beamish.root')
  await node.assertExit(root as Pid, 'shutdown')
})

t.test('a killed thread is lost to everybody, and replaced', async (t) => {
  const node = await opened(t, { schedulers: 3 })
  const there = await node.spawn(Counter, 0, { place: { scheduler: 2 } })
  const ref = node.monitor(there)
  const linked = await node.spawn(
    async (self) => {
      self.link(there)
      self.send(node.self.pid, 'linked')
      await self.receive()
    },
    { scheduler: 1 },
  )
  await node.assertReceive('linked')
  node.faults.killThread(2, 'heap')
  const gone = { noconnection: { scheduler: 2, cause: 'heap' } }
  await node.assertDown(ref, gone)
  await node.assertExit(linked, gone)
  await node.runUntilIdle()
  t.same(node.schedulers(), [1, 3, 4])
  const next = await node.spawn(Counter, 5, { place: { scheduler: 4 } })
  t.equal(await node.self.call(next, 'read'), 5)
  t.match(node.timeline(), /thread 4 is up in place of a lost one/)
})

t.test('a frozen thread does nothing until it goes on', async (t) => {
  const node = await opened(t)
  const there = await node.spawn(Counter, 3, { place: { scheduler: 2 } })
  node.faults.freezeThread(2)
  t.match(await rejection(node.self.call(there, 'read')), { reason: 'timeout' })
  const ref = node.monitor(there)
  node.exit(there, 'boom')
  await node.refuteReceive((m: unknown) => (m as DownMessage).ref === ref)
  node.faults.unfreezeThread(2)
  const { reason } = await node.assertDown(ref)
  t.equal(formatReason(reason), 'boom')
})
