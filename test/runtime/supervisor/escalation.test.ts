// What a supervisor that gives up does to those above it, beside it and across threads.
import { type BeamishNode, type Pid, type Placement, supervisor } from 'beamish'
import t, { type Test } from 'tap'
import { downReason, isType, schedulerCounts, startNode } from '../kit.ts'
import { Trees } from './trees.ts'

for (const schedulers of schedulerCounts) {
  t.test(`with ${schedulers} scheduler threads`, async (t) => {
    const node = await startNode(new URL('./children.ts', import.meta.url), schedulers)
    t.teardown(() => node.stop())
    const last = node.schedulers().at(-1) as number
    await t.test('all on one thread', (t) => suite(t, node, 'here'))
    await t.test('the inner supervisor on another', (t) => suite(t, node, { scheduler: last }))
  })
}

async function suite(t: Test, node: BeamishNode, place: Placement): Promise<void> {
  const { self } = node
  const trees = new Trees(node, place)
  const { child, startTree, up, pidOf, reports, crash } = trees
  const limits = { maxRestarts: 1, maxSeconds: 3_600 }

  await t.test(
    'otp 129, 144: the inner one exceeds, the outer one restarts it, exceeds in turn, and its parent sees shutdown',
    async (t) => {
      const leaf = child('leaf', { place: 'here' })
      const inner = supervisor({ ...limits, id: 'inner', place, children: [leaf] })
      const outer = await startTree([child('sibling'), inner], limits)
      const seen = reports(t)
      const ended = self.monitor(outer)
      const sibling = self.monitor(await pidOf(outer, 'sibling'))
      await up()
      let inners: Pid[] = []
      for (let round = 0; round < 2; round++) {
        inners = [...inners, await pidOf(outer, 'inner')]
        const gone = self.monitor(inners.at(-1) as Pid)
        await crash(await up(), 'boom')
        await crash(await up(), 'boom')
        t.equal(await downReason(node, gone), 'shutdown', 'the inner one gives up')
        if (round === 0) t.ok(await self.alive(outer), 'the outer one does not')
      }
      t.not(inners[0], inners[1])
      t.equal(await downReason(node, ended), 'shutdown')
      t.equal(await downReason(node, sibling), 'shutdown', 'its other child is stopped')
      t.match(await self.receive(isType('EXIT'), 5_000), { from: outer, reason: 'shutdown' })
      const supervisors = seen.filter((report) => report.child === 'inner')
      t.same(
        supervisors.map(({ context, reason }) => [context, reason]),
        [
          ['child_terminated', 'shutdown'],
          ['child_terminated', 'shutdown'],
          ['shutdown', 'reached_max_restart_intensity'],
        ],
      )
      await trees.forget()
    },
  )
}
