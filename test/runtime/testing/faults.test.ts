// Every fault of the test kit, shown to strike and to let go.
// Longer than 400 lines because each fault is one short test, and they share their servers.
import { type DownMessage, formatPid, formatReason, type Pid, supervisor, task } from 'beamish'
import { type TestNode, testNode } from 'beamish/testing'
import t from 'tap'
import { schedulerOf } from '../../../runtime/process/pid.ts'
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

for (const scheduler of [1, 2]) {
  const where = scheduler === 1 ? 'on one thread' : 'across threads'
  /** A counter on thread 1, and a process that calls it and tells the test how that went, then what else it is sent. */
  const calling = async (node: TestNode, timeoutMs = 100) => {
    const counter = await node.spawn(Counter, 7, { place: { scheduler: 1 } })
    const caller = await node.spawn(
      async (self) => {
        await self.receive()
        const told = await self
          .call(counter, 'read', undefined, { timeoutMs })
          .catch((error: { reason: { reason: unknown } }) => error.reason.reason)
        self.send(node.self.pid, { told })
        for (;;) self.send(node.self.pid, await self.receive())
      },
      { scheduler },
    )
    return { counter, caller, go: () => node.self.send(caller, 'go') }
  }

  t.test(`${where}: a call whose answer is lost times out`, async (t) => {
    const node = await opened(t)
    const { counter, caller, go } = await calling(node)
    node.faults.drop(counter, caller, { count: 1 })
    go()
    await node.assertReceive({ told: 'timeout' })
    t.equal(node.now, 100)
    t.same(faultsOf(node), [`the reply to "read" to ${formatPid(caller)} is dropped`])
    t.match(node.timeline(), /reply 7 \(dropped\)/)
    await node.refuteReceive(() => true)
  })

  t.test(`${where}: one whose server ends meanwhile hears of that`, async (t) => {
    const node = await opened(t)
    const { counter, caller, go } = await calling(node)
    node.faults.drop(counter, caller)
    go()
    await node.advance(50)
    node.exit(counter, 'boom')
    await node.assertReceive({ told: 'boom' })
    t.equal(node.now, 50)
  })

  t.test(
    `${where}: a late answer comes, or goes nowhere once the call has timed out`,
    async (t) => {
      for (const [timeoutMs, told] of [
        [100, 7],
        [30, 'timeout'],
      ] as const) {
        const node = await opened(t)
        const { counter, caller, go } = await calling(node, timeoutMs)
        node.faults.delay(counter, caller, 60)
        go()
        await node.assertReceive({ told })
        t.equal(node.now, Math.min(60, timeoutMs))
        await node.refuteReceive(() => true)
        const [reply] = node.timeline.events.filter((event) => event.kind === 'reply')
        t.match(reply, { outcome: told === 7 ? 'handled' : 'lost', settled: { atMs: 60 } })
        t.equal((await node.self.info(caller))?.monitors?.length ?? 0, 0)
      }
    },
  )

  t.test(`${where}: an answer that comes twice counts once`, async (t) => {
    const node = await opened(t)
    const { counter, caller, go } = await calling(node)
    node.faults.duplicate(counter, caller)
    node.faults.duplicate(caller, counter)
    go()
    await node.assertReceive({ told: 7 })
    await node.refuteReceive(() => true)
    t.equal(faultsOf(node).length, 3, 'a call that comes twice is answered twice, each doubled')
  })

  t.test(`${where}: the answer of a task is lost, late and doubled as any other`, async (t) => {
    const module = new URL('./servers.ts', import.meta.url).href
    const outcome = async (fault: 'none' | 'drop' | 'delay' | 'duplicate', waitMs = 5_000) => {
      const node = await opened(t)
      const { faults } = node
      const owner = await node.spawn(
        async (self) => {
          self.trapExit(true)
          await self.receive()
          const run = { module, name: 'seven', args: [] }
          const one = task.async(self, run, { place: { scheduler } })
          const result = await task.yield(self, one, { timeoutMs: waitMs })
          self.send(node.self.pid, { result: result ?? 'nothing' })
          for (;;) self.send(node.self.pid, await self.receive())
        },
        { scheduler: 1 },
      )
      if (fault === 'drop') faults.drop('any', owner, { kinds: ['reply'] })
      if (fault === 'delay') faults.delay('any', owner, 60, { kinds: ['reply'] })
      if (fault === 'duplicate') faults.duplicate('any', owner, { kinds: ['reply'] })
      node.self.send(owner, 'go')
      const { result } = await node.assertReceive<{ result: unknown }>({ result: () => true })
      // The link of the task is told of its normal end, and that is all.
      await node.refuteReceive((m: unknown) => (m as { reason?: unknown }).reason !== 'normal')
      node.close()
      return result
    }
    t.same(await outcome('none'), { ok: 7 })
    t.same(await outcome('drop'), { exit: 'normal' })
    t.same(await outcome('delay'), { ok: 7 })
    t.same(await outcome('delay', 30), 'nothing')
    t.same(await outcome('duplicate'), { ok: 7 })
  })
}

t.test('of all messages those of the kinds named are struck', async (t) => {
  const node = await opened(t)
  const counter = await node.spawn(Counter, 0)
  node.faults.drop('any', counter, { kinds: ['cast'], count: 2 })
  for (let i = 0; i < 3; i++) node.self.cast(counter, 'add', 1)
  t.equal(await node.self.call(counter, 'read'), 1)
  const member = await node.spawn(async (self) => {
    self.subscribe('news')
    for (;;) self.send(node.self.pid, await self.receive())
  })
  await node.runUntilIdle()
  node.faults.drop('any', member, { kinds: ['broadcast'], count: 1 })
  node.self.send(member, 'hello')
  for (const event of ['first', 'second']) node.self.broadcast('news', event, {})
  await node.assertReceive('hello')
  await node.assertReceive({ event: 'second' })
  await node.refuteReceive({ event: 'first' })
})

t.test('signals are no messages: a fault that asks for them is refused', async (t) => {
  const node = await opened(t)
  const { faults } = node
  const pid = await node.spawn(Counter, 0)
  for (const kind of ['exit', 'link', 'monitor', 'down']) {
    const kinds = [kind as 'send']
    t.throws(() => faults.drop('any', pid, { kinds }), {
      code: 'BEAMISH_BAD_OPTION',
      message: /DOWNs always arrive while both threads live.*faults\.killThread\(\)/,
    })
  }
  // With all else taken away they still come.
  const watcher = await node.spawn(
    async (self) => {
      self.monitor(pid)
      self.send(node.self.pid, 'watches')
      for (;;) self.send(node.self.pid, await self.receive())
    },
    { scheduler: 2 },
  )
  await node.assertReceive('watches')
  faults.drop('any', watcher)
  faults.drop('any', pid)
  node.exit(pid, 'boom')
  await node.assertReceive({ type: 'DOWN', reason: 'boom' })
})

t.test('bad faults are refused', async (t) => {
  const { faults } = await opened(t)
  const bad = { code: 'BEAMISH_BAD_OPTION' }
  t.throws(() => faults.drop('any', undefined as never), bad)
  t.throws(() => faults.drop('' as never, 'hits'), bad)
  t.throws(() => faults.duplicate('any', 'hits', { count: 0 }), bad)
  t.throws(() => faults.delay('any', 'hits', -1), { code: 'BEAMISH_BAD_TIMEOUT' })
  t.throws(() => faults.crash('hits', { atMessage: 0 }), bad)
  t.throws(() => faults.kill(undefined as never), bad)
  t.throws(() => faults.failInit(Counter, { times: 0.5 }), bad)
  for (const thread of [0, 3]) {
    t.throws(() => faults.killThread(thread), { code: 'BEAMISH_NO_SCHEDULER' })
    t.throws(() => faults.freezeThread(thread), { code: 'BEAMISH_NO_SCHEDULER' })
    t.throws(() => faults.unfreezeThread(thread), { code: 'BEAMISH_NO_SCHEDULER' })
  }
})

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

t.test('faults that strike the same process count the same messages', async (t) => {
  const node = await opened(t, { children: [Counter.child(0, { name: 'hits' })] })
  node.faults.crash('hits', { atMessage: 1 })
  node.faults.kill('hits', { atMessage: 2 })
  for (const how of ['crashes', 'is killed']) {
    node.self.cast('hits', 'add', 1)
    await node.assertRestarted('hits')
    t.match(faultsOf(node).at(-1), how)
  }
  await node.advance(10_000)
  node.faults.crash('hits')
  node.faults.kill('hits')
  for (const faults of [3, 4]) {
    node.self.cast('hits', 'add', 1)
    await node.assertRestarted('hits')
    t.equal(faultsOf(node).length, faults, 'of two at one message the second waits for the next')
  }
})

t.test('messages are struck by the name their sender has by then', async (t) => {
  const node = await opened(t)
  const teller = await node.spawn(
    async (self) => {
      await self.register('late')
      for (;;) self.send(node.self.pid, await self.receive())
    },
    { scheduler: 1 },
  )
  await node.runUntilIdle()
  const end = node.faults.drop('late', node.self.pid)
  node.self.send(teller, 1)
  await node.refuteReceive(1)
  end()
  node.self.send(teller, 2)
  await node.assertReceive(2)
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

t.test('the end of an init fault ends no later one', async (t) => {
  const node = await opened(t)
  const end = node.faults.failInit(Counter, { reason: 'one' })
  await rejection(node.spawn(Counter, 0))
  node.faults.failInit(Counter, { reason: 'two' })
  end()
  t.equal(await rejection(node.spawn(Counter, 0)), 'two')
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

t.test('what is held back for a lost thread holds up nothing of its replacement', async (t) => {
  const node = await opened(t, { children: [Counter.child(0, { name: 'hits', place: 'any' })] })
  const first = (await node.self.whereis('hits')) as Pid
  node.faults.delay(node.self.pid, 'hits', 300)
  node.self.cast('hits', 'add', 1)
  await node.runUntilIdle()
  node.faults.killThread(schedulerOf(first))
  const second = await node.assertRestarted('hits')
  node.self.cast('hits', 'add', 10)
  await node.advance(300)
  t.match(
    node.timeline.events.find((e) => e.kind === 'cast' && e.to === second),
    {
      payload: 10,
      outcome: 'handled',
    },
  )
})
