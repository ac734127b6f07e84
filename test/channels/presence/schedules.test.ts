// Presence under drawn schedules; `npm run explore` tries many more.
import { type Self, supervisor } from 'beamish'
import { explore, type MessageEvent, type TestNode, testNode } from 'beamish/testing'
import t from 'tap'
import { living } from '../../runtime/testing/scenario.ts'
import { Drawn, presenceScenarios, TOPIC } from './schedules.ts'

const RUNS = 20

for (const { name, options, run } of presenceScenarios) {
  t.test(`${name}: every schedule ends in what is true`, async (t) => {
    const seed = 1 + Math.floor(Math.random() * 1e6)
    t.comment(`seed ${seed}`)
    t.match(await explore(run, { ...options, runs: RUNS, seed }), { runs: RUNS })
  })
}

const toTrackers = (node: TestNode, name: string): MessageEvent[] =>
  node.timeline.events.filter(
    (event): event is MessageEvent =>
      'outcome' in event && event.outcome === 'handled' && event.name === name,
  )

const live = (self: Self): Promise<unknown> => self.receive()

t.test(
  'differs: channels 97: in a rolling restart each thread tells each new one once, unasked',
  async (t) => {
    const node = await testNode({ schedulers: 3, app: supervisor({ children: [Drawn.child()] }) })
    t.teardown(() => node.close())
    for (const old of node.schedulers()) {
      const visitor = await node.spawn(live, { scheduler: old })
      await Drawn.track(node.self, TOPIC, visitor, `on ${old}`, { n: 1 })
    }
    for (const old of node.schedulers()) {
      await node.advance(1_000)
      node.timeline.clear()
      node.faults.killThread(old)
      await node.advance(10_000)
      const replacements = living(node, 'beamish.tracker.drawn')
      const deltas = toTrackers(node, 'tracker.delta')
      t.equal(deltas.length, 2, 'the two that were there')
      t.ok(deltas.every(({ to }) => to === replacements[0]))
      t.equal(new Set(deltas.map(({ from }) => from)).size, 2)
      t.same(toTrackers(node, 'tracker.missing'), [], 'nobody asked')
      const visitor = await node.spawn(live, { scheduler: node.schedulers().at(-1)! })
      await Drawn.track(node.self, TOPIC, visitor, `in place of ${old}`, { n: 1 })
    }
    await node.advance(1_000)
    t.same(Object.keys(await Drawn.list(node.self, TOPIC)).sort(), [
      'in place of 1',
      'in place of 2',
      'in place of 3',
    ])
  },
)
