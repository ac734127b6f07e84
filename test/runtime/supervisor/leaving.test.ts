// A supervisor that starts while the thread of one of its keyed children is about to be replaced.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ChildSpec, type Pid, type Strategy, supervisor } from 'beamish'
import t from 'tap'
import { findBehaviour } from '../../../runtime/process/behaviour.ts'
import { NO_PID } from '../../../runtime/process/pid.ts'
import { call } from '../../../runtime/scheduler/calls.ts'
import { hash32 } from '../../../runtime/scheduler/hash.ts'
import type { ChildInfo } from '../../../runtime/supervisor/supervisor.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'
import { type ChildStart, Fragile } from './children.ts'

const LEAVING = 2
const KEY = ['a', 'b', 'c', 'd'].find((key) => 1 + (hash32(key) % 2) === LEAVING) as string

/** Children first, late (on the thread that leaves) and last, under a supervisor on the other thread. */
async function stage(strategy: Strategy, init: ChildStart['init'] = {}) {
  const sim = new Simulation(3)
  sim.board.setLeaving(LEAVING)
  const scheduler = sim.scheduler(1)
  const outside = sim.idle(1)
  const child = (id: string, options: Partial<ChildSpec> = {}, start = {}): ChildSpec =>
    Fragile.child({ witness: outside.pid, id, ...start }, { id, ...options })
  const tree = supervisor({
    strategy,
    maxRestarts: 1_000,
    children: [child('first'), child('late', { place: { key: KEY } }, { init }), child('last')],
  })
  const born = { parent: NO_PID, ancestors: [] }
  const sup = scheduler.spawn(findBehaviour(tree.behaviour) as never, tree.argument, born)
  const rest = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) {
      sim.settle()
      await nextTurn()
    }
  }
  await rest()
  const ask = async (event: string, id?: string): Promise<unknown> => {
    const answer = call(scheduler, outside, sup.pid, event, id, Number.POSITIVE_INFINITY)
    await rest()
    return answer
  }
  return {
    rest,
    ask,
    /** The children by id: undefined, restarting, or running. */
    which: async (): Promise<Record<string, unknown>> =>
      Object.fromEntries(
        ((await ask('whichChildren')) as ChildInfo[])
          .map(({ id, pid }) => [id, typeof pid === 'number' ? 'runs' : pid])
          .toReversed(),
      ),
    /** The replacement is there. */
    async arrives(): Promise<void> {
      sim.board.setReady(LEAVING)
      sim.pass(50)
      await rest()
    },
    up: (): string[] =>
      (outside.mailbox.toArray() as { type: string; id: string; pid: Pid }[]).map(({ id }) => id),
  }
}

for (const strategy of ['one_for_one', 'rest_for_one', 'one_for_all'] as const) {
  t.test(
    `${strategy}: it is up without that child and those behind it, which come later`,
    async (t) => {
      const { which, arrives, up } = await stage(strategy)
      t.strictSame(await which(), { first: 'runs', late: 'restarting', last: undefined })
      await arrives()
      t.strictSame(await which(), { first: 'runs', late: 'runs', last: 'runs' })
      t.strictSame(up(), ['first', 'late', 'last'])
    },
  )

  t.test(`${strategy}: those behind it come when it is terminated while it waits`, async (t) => {
    const { which, ask, arrives, up } = await stage(strategy)
    t.equal(await ask('terminateChild', 'late'), 'ok')
    t.strictSame(await which(), { first: 'runs', late: undefined, last: 'runs' })
    await arrives()
    t.strictSame(up(), ['first', 'last'], 'and it does not')
  })

  t.test(`${strategy}: what is started by request while it waits is started once`, async (t) => {
    const { which, ask, arrives, up } = await stage(strategy)
    t.match(await ask('restartChild', 'last'), { ok: true })
    await arrives()
    t.strictSame(await which(), { first: 'runs', late: 'runs', last: 'runs' })
    t.strictSame(up(), ['first', 'last', 'late'])
  })
}

t.test('one_for_one: where it fails to start, those behind it are not held up', async (t) => {
  const { arrives, up } = await stage('one_for_one', { fail: 'no' })
  await arrives()
  t.strictSame(up(), ['first', 'last'])
})
