// Broadcasts on one scheduler, on two threads, and from the outside.
import type { BeamishNode, Pid, Placement } from 'beamish'
import t, { type Test } from 'tap'
import { Self } from '../../../runtime/process/self.ts'
import { BUCKETS } from '../../../runtime/scheduler/board.ts'
import { downReason, isType, schedulerCounts, startNode } from '../kit.ts'
import { Greeter, Joiner, news, Registrant } from '../registry/registrants.ts'

const APP = new URL('../registry/registrants.ts', import.meta.url)

for (const schedulers of schedulerCounts) {
  t.test(`with ${schedulers} scheduler threads`, async (t) => {
    const node = await startNode(APP, schedulers)
    t.teardown(() => node.stop())
    const first: Placement = { scheduler: node.schedulers()[0] as number }
    const last: Placement = { scheduler: node.schedulers().at(-1) as number }
    await t.test('both on the same scheduler', (t) => suite(t, node, 'a', 'here', 'here'))
    await t.test('both on one thread', (t) => suite(t, node, 'b', first, first))
    await t.test('on main and on a thread', (t) => suite(t, node, 'c', 'here', last))
    if (schedulers > 1) {
      await t.test('on two threads', (t) => suite(t, node, 'd', first, last))
    }
    await t.test('interest is back at zero when all subscribers are gone', async (t) => {
      t.same(interest(node), [])
    })
  })
}

/** Slots and counts of the board where anybody subscribes. */
function interest(node: BeamishNode): string[] {
  const { board } = Self.processOf(node.self).scheduler
  const found: string[] = []
  for (let slot = 0; slot < board.slots; slot++) {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      if (board.interested(slot, bucket)) found.push(`slot ${slot} bucket ${bucket}`)
    }
  }
  return found
}

async function suite(
  t: Test,
  node: BeamishNode,
  prefix: string,
  placeA: Placement,
  placeB: Placement,
): Promise<void> {
  const { self } = node
  const startBoth = async (t: Test) => {
    const a = await self.start(Registrant, undefined, { place: placeA })
    const b = await self.start(Registrant, undefined, { place: placeB })
    t.teardown(async () => {
      for (const pid of [a, b]) {
        const ref = self.monitor(pid)
        self.exit(pid, 'kill')
        await downReason(node, ref)
      }
    })
    return { a, b }
  }
  type Registered = Awaited<ReturnType<typeof startBoth>>['a']
  const name = (topic: string) => `${prefix} ${topic}`
  /** What a process has heard, once it is at least so many. */
  const heard = async (pid: Registered, count: number): Promise<unknown[]> => {
    for (;;) {
      const all = await self.call(pid, 'heard')
      if (all.length >= count) return all
    }
  }
  await t.test('a broadcast reaches every subscriber, the sender included', async (t) => {
    const { a, b } = await startBoth(t)
    for (const pid of [a, b]) await self.call(pid, 'subscribe', name('all'))
    self.cast(a, 'broadcast', { to: name('all'), line: 1 })
    t.same(await heard(a, 1), [1])
    t.same(await heard(b, 1), [1])
  })

  await t.test('broadcastFrom leaves the sender out', async (t) => {
    const { a, b } = await startBoth(t)
    for (const pid of [a, b]) await self.call(pid, 'subscribe', name('from'))
    self.cast(a, 'broadcastFrom', { to: name('from'), line: 1 })
    t.same(await heard(b, 1), [1])
    t.same(await self.call(a, 'heard'), [])
  })

  await t.test('broadcastFrom leaves out whom it names', async (t) => {
    const { a, b } = await startBoth(t)
    for (const pid of [a, b]) await self.call(pid, 'subscribe', name('but'))
    self.cast(a, 'broadcastFrom', { to: name('but'), line: 1, but: b })
    self.cast(a, 'broadcastFrom', { to: name('but'), line: 2 })
    t.same(await heard(a, 1), [1])
    t.same(await heard(b, 1), [2])
  })

  await t.test('localBroadcast stays on its scheduler', async (t) => {
    const { a, b } = await startBoth(t)
    for (const pid of [a, b]) await self.call(pid, 'subscribe', name('local'))
    self.cast(a, 'localBroadcast', { to: name('local'), line: 1 })
    self.cast(a, 'broadcast', { to: name('local'), line: 2 })
    t.same(await heard(a, 2), [1, 2])
    const together = (await self.call(a, 'where')) === (await self.call(b, 'where'))
    t.same(await heard(b, together ? 2 : 1), together ? [1, 2] : [2])
  })

  await t.test(
    'two subscriptions of one process get a broadcast twice, unsubscribe ends both',
    async (t) => {
      const { a, b } = await startBoth(t)
      await self.call(b, 'subscribe', name('twice'))
      await self.call(b, 'subscribe', name('twice'))
      self.cast(a, 'broadcast', { to: name('twice'), line: 1 })
      t.same(await heard(b, 2), [1, 1])
      await self.call(b, 'unsubscribe', name('twice'))
      self.cast(a, 'broadcast', { to: name('twice'), line: 2 })
      await self.call(b, 'subscribe', name('fence'))
      self.cast(a, 'broadcast', { to: name('fence'), line: 3 })
      t.same(await heard(b, 3), [1, 1, 3])
      await self.call(b, 'unsubscribe', name('never subscribed'))
    },
  )

  await t.test('nobody hears of topics they did not subscribe to', async (t) => {
    const { a, b } = await startBoth(t)
    await self.call(b, 'subscribe', name('mine'))
    self.cast(a, 'broadcast', { to: name('other'), line: 1 })
    self.cast(a, 'broadcast', { to: name('mine'), line: 2 })
    t.same(await heard(b, 1), [2])
  })

  await t.test('a dead subscriber is no obstacle, the others hear all', async (t) => {
    const { a, b } = await startBoth(t)
    const dying = await self.start(Registrant, undefined, { place: placeB })
    for (const pid of [dying, b]) await self.call(pid, 'subscribe', name('dying'))
    self.cast(a, 'broadcast', { to: name('dying'), line: 1 })
    const ref = self.monitor(dying)
    self.exit(dying, 'kill')
    await downReason(node, ref)
    self.cast(a, 'broadcast', { to: name('dying'), line: 2 })
    t.same(await heard(b, 2), [1, 2])
  })

  await t.test(
    'broadcasts and sends of one process arrive in the order they were made',
    async (t) => {
      const { a, b } = await startBoth(t)
      await self.call(b, 'subscribe', name('order'))
      const lines = 2_000
      self.cast(a, 'interleave', { to: name('order'), pid: b, lines })
      t.same(
        await heard(b, lines),
        Array.from({ length: lines }, (_, i) => i),
      )
    },
  )

  await t.test('3,000 broadcasts right after a join: none is lost', async (t) => {
    const greeter = await self.start(Greeter, undefined, { place: placeA })
    const rounds = 3_000
    const argument = { greeter: greeter as Pid, report: self.pid, rounds }
    const joiner = await self.spawn(Joiner, argument, { place: placeB })
    const ref = self.monitor(joiner)
    t.equal((await self.receive(isType('joined'), 60_000))?.got, rounds)
    await downReason(node, ref)
    await self.stop(greeter)
  })

  await t.test('the outside subscribes and broadcasts like anybody', async (t) => {
    const { a } = await startBoth(t)
    self.subscribe(news)
    self.broadcast(news, 'line', 1)
    self.cast(a, 'broadcast', { to: news.name, line: 2 })
    const got: unknown[] = []
    for (let i = 0; i < 2; i++) {
      const message = await self.receive(isType('broadcast'), 5_000)
      got.push([message?.topic, message?.event, message?.payload])
    }
    t.same(got, [
      ['news', 'line', 1],
      ['news', 'line', 2],
    ])
    self.unsubscribe(news)
  })
}
