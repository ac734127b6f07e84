/** The process dictionary, the group leader, and the limit of what a process may hold. */
import { onEvent } from 'beamish'
import t from 'tap'
import { NO_PID, schedulerOf } from '../../../runtime/process/pid.ts'
import { estimateBytes, HEAP_CHECK_MS } from '../../../runtime/scheduler/heapLimit.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'
import { downReason, startNode } from '../kit.ts'
import { placements } from '../stage.ts'
import { Keeper } from './flags.app.ts'

const node = await startNode(new URL('./flags.app.ts', import.meta.url), 2)
t.teardown(() => node.stop())
const { self } = node

t.test('a dictionary is private to its process, and shown as text', async (t) => {
  const place = { scheduler: 1 }
  const one = await self.start(Keeper, undefined, { place })
  const two = await self.start(Keeper, undefined, { place })
  t.equal(await self.call(one, 'put', ['request', 1n]), undefined)
  t.equal(await self.call(one, 'put', ['request', { id: 7 }]), 1n, 'the old value comes back')
  t.strictSame(await self.call(one, 'get', 'request'), { id: 7 })
  t.equal(await self.call(two, 'get', 'request'), undefined)
  const info = await self.info(one)
  t.strictSame(info?.dictionary, { born: 'true', request: '{"id":7}' })
})

t.test('a dictionary with what cannot cross threads is shown all the same', async (t) => {
  const pid = await self.start(Keeper, undefined)
  await self.call(pid, 'put', ['fn', () => 1])
  t.match((await self.info(pid))?.dictionary, { fn: String })
})

for (const place of placements) {
  t.test(`the group leader is inherited (${place.name})`, async (t) => {
    const parent = await self.start(Keeper, undefined, { place: { scheduler: place.a } })
    t.equal(await self.call(parent, 'leader'), undefined, 'nobody by default')
    const before = await self.call(parent, 'spawn', place.b)
    await self.call(parent, 'lead', self.pid)
    const child = await self.call(parent, 'spawn', place.b)
    const grandchild = await self.call(child as typeof parent, 'spawn', place.a)
    t.equal(schedulerOf(child), place.b)
    t.equal((await self.info(child))?.groupLeader, self.pid)
    t.equal((await self.info(grandchild))?.groupLeader, self.pid)
    t.equal((await self.info(before))?.groupLeader, undefined, 'who was there before keeps his')
    await self.call(parent, 'lead', undefined)
    t.equal((await self.info(child))?.groupLeader, self.pid)
  })
}

for (const scheduler of [1, 2]) {
  t.test(
    `differs: otp 59: one that holds more than maxHeapBytes is found within a second and dies killed (thread ${scheduler})`,
    async (t) => {
      const pid = await self.start(Keeper, undefined, {
        place: { scheduler },
        maxHeapBytes: 100_000,
      })
      const modest = await self.start(Keeper, undefined, { maxHeapBytes: 100_000 })
      const ref = self.monitor(pid)
      for (let i = 0; i < 11; i++) await self.call(pid, 'keep', String(i).repeat(10_000))
      t.equal(await downReason(node, ref), 'killed')
      t.equal(await self.alive(modest), true)
    },
  )
}

/** A process that keeps its messages waiting, with a limit; time is the test's. */
function held(maxHeapBytes: number) {
  const sim = new Simulation(1)
  const behaviour = {
    name: 'held',
    delivery: 'handle',
    start: () => new Promise(() => {}),
    handle: () => undefined,
  } as const
  const flags = { maxHeapBytes }
  const process = sim
    .scheduler(0)
    .spawn(behaviour, undefined, { parent: NO_PID, ancestors: [], flags })
  sim.settle()
  return { sim, process }
}

t.test('otp 59: what waits in the mailbox counts, and is told when it is too much', async (t) => {
  const { sim, process } = held(10_000)
  const notices: unknown[] = []
  t.teardown(onEvent('notice', (notice) => notices.push(notice)))
  process.scheduler.deliver(process, 'x'.repeat(9_000))
  sim.pass(HEAP_CHECK_MS)
  t.equal(process.alive, true)
  process.scheduler.deliver(process, 'x'.repeat(9_000))
  t.equal(process.alive, true, 'nothing happens at the send')
  sim.pass(HEAP_CHECK_MS)
  t.equal(process.exitReason, 'killed')
  t.match(notices, [{ code: 'max_heap', maxHeapBytes: 10_000, mailboxLength: 2 }])
  t.equal(process.scheduler.clock.size, 0, 'no timer is left')
})

t.test('otp 59: so does the dictionary', async (t) => {
  const { sim, process } = held(10_000)
  process.self.dictionary.set('big', new Uint8Array(20_000))
  sim.pass(HEAP_CHECK_MS)
  t.equal(process.exitReason, 'killed')
})

t.test('the estimate sees every part once, and stops at the limit', async (t) => {
  const shared = { text: 'x'.repeat(1_000) }
  const once = estimateBytes([shared])
  t.ok(once > 1_000 && once < 1_200, `${once} bytes`)
  t.ok(estimateBytes([shared, shared]) < once + 100)
  const cycle: { self?: unknown; text: string } = { text: 'x'.repeat(500) }
  cycle.self = cycle
  t.ok(estimateBytes(cycle) < 700)
  t.ok(estimateBytes(new Map([['k', new Set(['v'.repeat(300)])]])) > 300)
  t.ok(estimateBytes(new Float64Array(100)) > 800)
  const buffer = new ArrayBuffer(1_000)
  t.ok(estimateBytes([new Uint8Array(buffer), new Uint8Array(buffer, 10)]) < 1_200)
  let list: unknown
  for (let i = 0; i < 200_000; i++) list = { list }
  t.ok(estimateBytes(list) > 200_000, 'of any depth')
  let looked = 0
  const many = Array.from({ length: 1_000 }, () => ({
    get part() {
      return ++looked
    },
  }))
  estimateBytes(many, 1_000)
  t.ok(looked < 60, `${looked} parts were looked at`)
  const throws = {
    get part(): never {
      throw new Error('no')
    },
  }
  t.ok(estimateBytes(throws) > 0)
})

t.test('a limit that is no number of bytes is refused', async (t) => {
  for (const maxHeapBytes of [0, -1, Number.NaN, '1']) {
    t.throws(() => self.spawn(Keeper, undefined, { maxHeapBytes: maxHeapBytes as number }), {
      message: /maxHeapBytes is .*: give a number of bytes/,
    })
  }
})

t.test('weighing stops at the limit, and at what cannot be looked at', async (t) => {
  t.ok(estimateBytes(new Array(1_000_000_000), 1_000) > 1_000, 'without a list of its slots')
  const { proxy, revoke } = Proxy.revocable([], {})
  revoke()
  t.ok(estimateBytes([proxy, 'x'.repeat(500)], 10_000) > 500)
})
