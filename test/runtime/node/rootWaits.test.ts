// The root while no thread is live: what it would restart waits for the next one, and does not count.
import { genServer, supervisor } from 'beamish'
import t from 'tap'
import { rootBehaviour } from '../../../runtime/node/root.ts'
import { CastMessage } from '../../../runtime/process/messages.ts'
import { schedulerOf } from '../../../runtime/process/pid.ts'
import { hash32 } from '../../../runtime/scheduler/hash.ts'
import { lost } from '../../../runtime/scheduler/receive.ts'
import type { SupervisorState } from '../../../runtime/supervisor/supervisor.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'

/** Of slot 1 of two. */
const KEY = ['a', 'b', 'c', 'd', 'e', 'f'].find((key) => hash32(key) % 2 === 0) as string

let inits: string[] = []
const Kid = genServer('rootWaits.kid', {
  init(id: string, self) {
    inits.push(`${id} on ${self.scheduler}`)
    return id
  },
})

for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one'] as const) {
  t.test(`${strategy}: its only thread is lost, then a replacement is up`, async (t) => {
    inits = []
    const sim = new Simulation(3)
    const main = sim.scheduler(0)
    // Scheduler 2 is the replacement: nobody finds it before it is up.
    main.board.clear(2)
    const settle = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        sim.settle()
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const tree = supervisor({
      strategy,
      maxRestarts: 0,
      children: [
        Kid.child('each', { id: 'each', place: 'each' }),
        Kid.child('first', { id: 'first' }),
        Kid.child('last', { id: 'last', place: { key: KEY } }),
      ],
    })
    const parent = sim.idle(0)
    parent.trapExit = true
    const root = main.spawn(rootBehaviour, tree.argument, {
      parent: parent.pid,
      ancestors: [parent.pid],
    })
    const { children } = await settle().then(() => root.state as SupervisorState)
    t.same(inits, ['each on 1', 'first on 1', 'last on 1'])

    inits = []
    main.board.clear(1)
    lost(main, 1, { noconnection: { scheduler: 1, cause: 'heap' } })
    await settle()
    t.ok(root.alive, 'nothing has counted')
    t.same(inits, [])
    t.ok(children.find(({ spec }) => spec.id === 'first')?.retry, 'it waits')

    main.board.claim(1, 2)
    main.board.setReady(1)
    main.deliver(root, new CastMessage('threadUp', 2))
    await settle()
    t.ok(root.alive)
    t.same(inits.toSorted(), ['each on 2', 'first on 2', 'last on 2'], 'each started once')
    t.equal(inits[0], 'each on 2', 'in their order')
    for (const { spec, pid, retry } of children) {
      t.equal(retry, undefined)
      if (spec.place !== 'each') t.equal(schedulerOf(pid as never), 2)
    }
  })
}
