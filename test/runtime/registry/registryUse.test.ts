// otp 113 and 164 to 169: registries with values, listeners, locks and keys as names; on one scheduler and across threads.
import type { BeamishNode, Pid, Placement } from 'beamish'
import t, { type Test } from 'tap'
import { downReason, isType, rejection, schedulerCounts, startNode } from '../kit.ts'
import { Actor, duplicate, unique } from './actors.app.ts'

const APP = new URL('./actors.app.ts', import.meta.url)
type Actors = { readonly a: Pid; readonly b: Pid }

for (const schedulers of schedulerCounts) {
  t.test(`with ${schedulers} scheduler threads`, async (t) => {
    const node = await startNode(APP, schedulers)
    t.teardown(() => node.stop())
    const first: Placement = { scheduler: node.schedulers()[0] as number }
    const last: Placement = { scheduler: node.schedulers().at(-1) as number }
    await t.test('both on one thread', (t) => suite(t, node, first, first))
    await t.test('on main and on a thread', (t) => suite(t, node, 'here', last))
    if (schedulers > 1) await t.test('on two threads', (t) => suite(t, node, first, last))
  })
}

async function suite(t: Test, node: BeamishNode, atA: Placement, atB: Placement): Promise<void> {
  const { self } = node
  const tell = (pid: Pid, ...order: [string, ...unknown[]]) => self.call(pid, 'do', order)
  const test = (name: string, run: (t: Test, actors: Actors) => Promise<void>) =>
    t.test(name, async (t) => {
      const a = await self.start(Actor, undefined, { place: atA })
      const b = await self.start(Actor, undefined, { place: atB })
      await run(t, { a, b })
      for (const pid of [a, b]) {
        const ref = self.monitor(pid)
        self.exit(pid, 'kill')
        await downReason(node, ref)
      }
      await self.call('watch', 'heard')
    })

  await test('a unique key has a value, which every thread finds', async (t, { a, b }) => {
    t.equal(await tell(a, 'claim', 'k', { seats: 4 }), 'ok')
    t.equal(await tell(b, 'claim', 'k', 'mine'), 'BEAMISH_ALREADY_REGISTERED')
    for (const asker of [a, b]) {
      t.same(await tell(asker, 'find', 'k'), { pid: a, value: { seats: 4 } })
    }
    t.same(await unique.lookup(self, 'k'), { pid: a, value: { seats: 4 } })
    t.equal(await unique.lookup(self, 'nobody'), undefined)
  })

  await test('otp 167: only the owner updates a value', async (t, { a, b }) => {
    await tell(a, 'claim', 'k', 1)
    t.same(await tell(a, 'change', 'k', 2), { value: 2, old: 1 })
    t.equal(await tell(b, 'change', 'k', 3), 'error')
    t.same(await tell(b, 'find', 'k'), { pid: a, value: 2 })
  })

  await test('otp 113: a key is a name: started with, called, sent to, monitored', async (t, {
    b,
  }) => {
    const via = unique.via('worker')
    const found = Actor.named(via)
    t.same(await rejection(self.call(found, 'echo', 1)), {
      call: { to: 'unique["worker"]', event: 'echo' },
      reason: 'noproc',
    })
    t.equal(await downReason(node, self.monitor(via)), 'noproc')
    const pid = await self.start(Actor, undefined, { name: via, place: atB })
    t.equal(await self.call(found, 'echo', 7), 7)
    t.equal(await self.whereis(via), pid)
    t.same(await tell(b, 'find', 'worker'), { pid, value: undefined })
    self.send(via, 'hello')
    t.same(await self.call(found, 'heard'), ['hello'])
    t.same(await rejection(self.start(Actor, undefined, { name: via })), { alreadyStarted: pid })
    const ref = self.monitor(via)
    await self.stop(via)
    t.equal(await downReason(node, ref), 'normal')
    t.equal(await self.whereis(via), undefined)
  })

  await test('otp 164: with nobody there a dispatch does not call', async (t, { a, b }) => {
    let calls = 0
    await duplicate.dispatch(self, 'none', () => {
      calls++
    })
    t.equal(calls, 0)
    await tell(a, 'join', 'some', 1)
    await tell(b, 'join', 'some', 2)
    const seen: unknown[] = []
    await duplicate.dispatch(self, 'some', (entries) => {
      calls++
      seen.push(...entries.map(({ value }) => value).sort())
    })
    t.equal(calls, 1)
    t.same(seen, [1, 2])
  })

  await test('otp 165: listeners hear of coming and going, not of deaths', async (t, { a, b }) => {
    const watch = async (from: Pid): Promise<unknown> => {
      // Sent by that process before it answers: behind its answer nothing of it is on its way.
      await tell(from, 'count')
      const heard: unknown[] = []
      while (heard.length === 0) heard.push(...((await self.call('watch', 'heard')) as unknown[]))
      return heard
    }
    for (const [pid, key] of [
      [a, 'x'],
      [b, 7],
    ] as const) {
      await tell(pid, 'claim', key, 'v')
      const told = { registry: 'unique', key, pid, value: 'v' }
      t.same(await watch(pid), [{ type: 'register', ...told }])
      await tell(pid, 'giveUp', key)
      t.same(await watch(pid), [{ type: 'unregister', ...told }])
      await tell(pid, 'join', key, 'w')
      const joined = { registry: 'duplicate', key, pid, value: 'w' }
      t.same(await watch(pid), [{ type: 'register', ...joined }])
      await tell(pid, 'leave', key)
      t.same(await watch(pid), [{ type: 'unregister', ...joined }])
    }
    await tell(a, 'claim', 'last')
    await watch(a)
    const ref = self.monitor(a)
    self.exit(a, 'kill')
    await downReason(node, ref)
    t.same(await self.call('watch', 'heard'), [])
  })

  await test('unregisterMatch looks at the value', async (t, { a, b }) => {
    await tell(a, 'claim', 'k', 1)
    await tell(a, 'giveUpMatch', 'k', 2)
    t.match(await tell(b, 'find', 'k'), { pid: a })
    await tell(a, 'giveUpMatch', 'k', 1)
    t.equal(await tell(b, 'find', 'k'), undefined)
    for (const value of [1, 2, 1]) await tell(a, 'join', 'k', value)
    await tell(a, 'leaveMatch', 'k', 1)
    t.same(await tell(b, 'entries', 'k'), [{ pid: a, value: 2 }])
  })

  await test('count, keys, values and select see all threads', async (t, { a, b }) => {
    await tell(a, 'claim', 'one', 1)
    await tell(a, 'claim', 2, 'two')
    await tell(b, 'claim', 'three', 3)
    for (const value of [1, 2]) await tell(b, 'join', 'd', value)
    await tell(a, 'join', 'e', 5)
    for (const asker of [a, b]) {
      t.same(await tell(asker, 'count'), [3, 3])
      t.same(await tell(asker, 'keys', a), [['one', 2], ['e']])
      t.same(await tell(asker, 'keys', b), [['three'], ['d', 'd']])
      const [own, shared] = (await tell(asker, 'select')) as { value: unknown }[][]
      t.same(own?.map(({ value }) => value).sort(), [1, 3, 'two'])
      t.same(shared?.map(({ value }) => value).sort(), [1, 2, 5])
    }
    t.same(await tell(a, 'values', 2), [['two'], []])
    t.same(await tell(b, 'values', 'd'), [[], [1, 2]])
    t.same(await unique.select(self, ({ key }) => key === 'three'), [
      { key: 'three', pid: b, value: 3 },
    ])
  })

  await test('metadata is one for all threads', async (t, { a, b }) => {
    await tell(a, 'putMeta', 'limit', { most: 3 })
    t.same(await tell(b, 'meta', 'limit'), { most: 3 })
    t.same(await unique.meta(self, 'limit'), { most: 3 })
    t.equal(await tell(a, 'meta', 'nothing'), undefined)
  })

  await test('otp 169: a lock is one process at a time; its holder’s end frees it', async (t, {
    a,
    b,
  }) => {
    const places = [atA, atB, atA, atB]
    const locks = await Promise.all(places.map((place) => self.start(Actor, undefined, { place })))
    const results = Promise.all(locks.map((pid) => tell(pid, 'lock', self.pid, 'door')))
    for (let i = 0; i < locks.length; i++) {
      const into = await self.receive(isType('in'), 5_000)
      // What two threads say to a third has no order: within one, in before out.
      const out = await self.receive((m) => isType('out')(m) && m.pid === into?.pid, 5_000)
      t.ok(out, `${i + 1} was in alone`)
    }
    t.same(await results, ['done', 'done', 'done', 'done'])
    self.cast(a, 'do', ['hold', self.pid, 'door'])
    await self.receive(isType('holds'), 5_000)
    t.equal(await tell(b, 'impatient', 'door'), 'timeout')
    self.cast(b, 'do', ['hold', self.pid, 'other door'])
    t.equal((await self.receive(isType('holds'), 5_000))?.pid, b, 'another key is another lock')
    const next = tell(locks[0] as Pid, 'lock', self.pid, 'door')
    self.exit(a, 'kill')
    t.equal(await next, 'done')
    for (const pid of [...locks, b]) self.exit(pid, 'kill')
    while ((await self.call('beamish.locks', 'count')) !== 0);
    await self.receive(isType('in'), 0)
    await self.receive(isType('out'), 0)
  })
}
