// Partition supervisors: which key leads where, from every thread; a crash and a lost thread cost one partition.
import { type BeamishNode, type Pid, partitionSupervisor, supervisor, task } from 'beamish'
import t from 'tap'
import { schedulerOf } from '../../../runtime/process/pid.ts'
import { downReason, schedulerCounts, startNode, whenNamed } from '../kit.ts'
import { Counter, counters, five } from './partitions.app.ts'

const APP = new URL('./partitions.app.ts', import.meta.url)

const pidsOf = async (node: BeamishNode, which = counters): Promise<Pid[]> =>
  (await which.which(node.self)).map(({ pid }) => pid as Pid)

for (const schedulers of schedulerCounts) {
  t.test(`with ${schedulers} scheduler threads`, async (t) => {
    const node = await startNode(APP, schedulers)
    t.teardown(() => node.stop())
    const { self } = node

    await t.test('there is one partition per thread, on that thread', async (t) => {
      t.equal(counters.count(self), schedulers)
      t.same((await pidsOf(node)).map(schedulerOf).sort(), node.schedulers())
      t.equal(schedulerOf((await self.whereis('counters')) as Pid), 0, 'its supervisor is on main')
    })

    await t.test('a key leads to the same partition from every thread', async (t) => {
      for (const key of [0, 1, 5, -1, 'user 1', 'user 2', 1.5]) {
        const here = counters.via(self, key)
        for (const scheduler of node.schedulers()) {
          const run = { module: APP, name: 'viaOf', args: [key] }
          t.equal(await task.await(self, task.async(self, run, { place: { scheduler } })), here)
        }
      }
      t.equal(counters.via(self, schedulers), counters.via(self, 0), 'a number counts modulo')
      const users = Array.from({ length: 200 }, (_, i) => counters.via(self, `user ${i}`))
      t.equal(new Set(users).size, schedulers, 'texts are spread by their hash')
    })

    await t.test('partitions are called by key, each with its own state', async (t) => {
      const at = (key: number) => Counter.named(counters.via(self, key))
      for (let key = 0; key < schedulers; key++) {
        t.equal(await self.call(at(key), 'add', key + 1), key + 1)
        t.equal(await self.call(at(key + schedulers), 'add', 0), key + 1)
      }
    })

    await t.test('the number of partitions may be given; it may be inside a thread', async (t) => {
      t.equal(five.count(self), 5)
      const pids = await pidsOf(node, five)
      t.equal(new Set(pids).size, 5)
      t.equal(new Set(pids.map(schedulerOf)).size, Math.min(5, schedulers))
      t.equal(await self.call(Counter.named(five.via(self, 7)), 'add', 1), 11)
    })

    await t.test(
      'local is the partition of the own thread: plain functions work there',
      async (t) => {
        for (const scheduler of node.schedulers()) {
          const run = { module: APP, name: 'locally' }
          const one = task.async(self, run, { place: { scheduler } })
          t.same(await task.await(self, one), [scheduler, scheduler])
        }
      },
    )

    await t.test(
      'a partition that crashes is restarted under its key, the others stay',
      async (t) => {
        const before = await pidsOf(node)
        const ref = self.monitor(before[0] as Pid)
        self.exit(before[0] as Pid, 'boom')
        await downReason(node, ref)
        const next = await whenNamed(node, counters.via(self, 0))
        t.not(next, before[0])
        t.same((await pidsOf(node)).slice(1), before.slice(1))
      },
    )

    if (schedulers < 2) return
    await t.test(
      'a lost thread costs its partitions alone; they come with its replacement',
      async (t) => {
        const before = await pidsOf(node)
        const lost = schedulerOf(before[1] as Pid)
        const ref = self.monitor(before[1] as Pid)
        node.killThread(lost)
        t.match(await downReason(node, ref), { noconnection: { scheduler: lost } })
        const next = await whenNamed(node, counters.via(self, 1), (at) => at !== lost)
        t.equal(await self.call(Counter.named(counters.via(self, 1)), 'where'), schedulerOf(next))
        const after = await pidsOf(node)
        t.same(
          after.filter((_, i) => i !== 1),
          before.filter((_, i) => i !== 1),
        )
        t.not(schedulerOf(next), lost)
      },
    )

    await t.test('a thread replaced in order gives its partitions to the next one', async (t) => {
      const old = schedulerOf((await pidsOf(node))[0] as Pid)
      const replacement = await node.restartThread(old)
      const next = await whenNamed(node, counters.via(self, 0), (at) => at !== old)
      t.equal(schedulerOf(next), replacement)
    })
  })
}

t.test('it is data, and checked', async (t) => {
  const child = Counter.child(0)
  const spec = partitionSupervisor(child, { name: 'x', partitions: 2 })
  t.equal((structuredClone(spec) as typeof spec).id, 'x')
  t.equal(supervisor({ children: [spec] }).argument.children[0]?.id, 'x')
  for (const partitions of [0, 1.5]) {
    t.throws(() => partitionSupervisor(child, { name: 'x', partitions }), {
      code: 'BEAMISH_BAD_OPTION',
    })
  }
  t.throws(() => partitionSupervisor(child, { name: '' }), { code: 'BEAMISH_NAME_INVALID' })
  t.throws(() => partitionSupervisor(child, { name: 'x', place: 'each' }), {
    code: 'BEAMISH_BAD_CHILD',
  })
})
