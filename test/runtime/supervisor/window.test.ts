// Which restarts count, and when they are too many: a supervisor under a clock that stands still unless it is moved.
import {
  dynamicSupervisor,
  genServer,
  onEvent,
  type Pid,
  type Placement,
  type SupervisorOptions,
  supervisor,
} from 'beamish'
import t from 'tap'
import type { ExitReason, LostCause } from '../../../runtime/exit/reason.ts'
import { type Behaviour, findBehaviour } from '../../../runtime/process/behaviour.ts'
import { schedulerOf } from '../../../runtime/process/pid.ts'
import type { Process } from '../../../runtime/process/process.ts'
import { hash32 } from '../../../runtime/scheduler/hash.ts'
import { lost } from '../../../runtime/scheduler/receive.ts'
import {
  type SupervisorState,
  supervisorBehaviour,
} from '../../../runtime/supervisor/supervisor.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'
import { rejection } from '../kit.ts'

const Kid = genServer('window.kid', { init: () => 0 })

/** Slots, the last one free: its scheduler is there to replace another. */
const THREADS = 4
const SPARE = 4

/** A key that a slot is asked for first. */
function keyOf(slot: number): Placement {
  for (let i = 0; ; i++) if (1 + (hash32(`key ${i}`) % THREADS) === slot) return { key: `key ${i}` }
}

class Tree {
  readonly sim = new Simulation(THREADS + 1)
  readonly sup: Process
  reason: ExitReason | undefined

  /** On scheduler 1, with a child per place. */
  constructor(places: readonly Placement[], limits: Partial<SupervisorOptions>) {
    this.sim.scheduler(1).board.clear(SPARE)
    const children = places.map((place, i) => Kid.child(undefined, { id: `${i}`, place }))
    const spec = supervisor({ ...limits, children }).argument
    const parent = this.sim.idle(1)
    parent.trapExit = true
    const ancestors = [parent.pid]
    this.sup = this.sim
      .scheduler(1)
      .spawn(supervisorBehaviour, spec, { parent: parent.pid, ancestors })
    this.sup.onExit((reason) => {
      this.reason = reason
    })
  }

  static async up(places: readonly Placement[], limits: Partial<SupervisorOptions>): Promise<Tree> {
    const tree = new Tree(places, limits)
    await tree.settle()
    return tree
  }

  /** Lets everything happen that does not wait for time to pass. */
  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) {
      this.sim.settle()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  get alive(): boolean {
    return this.reason === undefined
  }

  pid(i: number): Pid | undefined {
    return (this.sup.state as SupervisorState).children[i]?.pid
  }

  async crash(i = 0, reason: ExitReason = 'boom'): Promise<void> {
    this.end(i, reason)
    await this.settle()
  }

  end(i: number, reason: ExitReason): void {
    for (const scheduler of this.sim.schedulers) {
      const kid = scheduler.find(this.pid(i) as Pid)
      if (kid !== undefined) scheduler.exit(kid, reason)
    }
  }

  loseThread(id: number, cause: LostCause = 'heap'): void {
    this.sim.scheduler(1).board.clear(id)
    lost(this.sim.scheduler(1), id, { noconnection: { scheduler: id, cause } })
  }

  /** The spare scheduler takes a lost one's slot, and is ready. */
  async replace(slot: number): Promise<void> {
    const { board } = this.sim.scheduler(1)
    board.claim(slot, SPARE)
    board.setReady(slot)
    await this.wait()
  }

  /** Lets a child that waits for its thread look for it once more. */
  async wait(): Promise<void> {
    this.sim.pass(50)
    await this.settle()
  }

  /** The scheduler a child is on; 0: it has no process. */
  on(i: number): number {
    const pid = this.pid(i)
    return pid === undefined ? 0 : schedulerOf(pid)
  }
}

const limits = { maxRestarts: 2, maxSeconds: 5 }

t.test('exactly maxRestarts within maxSeconds are allowed', async (t) => {
  const tree = await Tree.up(['here'], limits)
  await tree.crash()
  await tree.crash()
  t.ok(tree.alive)
  t.ok(tree.pid(0))
})

t.test('one over ends the supervisor, at the last millisecond of the window, too', async (t) => {
  const tree = await Tree.up(['here'], limits)
  await tree.crash()
  await tree.crash()
  tree.sim.nowMs = 5_000
  await tree.crash()
  t.equal(tree.reason, 'shutdown')
})

t.test('a millisecond later it is not', async (t) => {
  const tree = await Tree.up(['here'], limits)
  await tree.crash()
  await tree.crash()
  tree.sim.nowMs = 5_001
  await tree.crash()
  t.ok(tree.alive)
})

t.test('spaced out, restarts go on for ever', async (t) => {
  const tree = await Tree.up(['here'], limits)
  for (let i = 0; i < 50; i++) {
    await tree.crash()
    tree.sim.nowMs += 2_501
    t.ok(tree.alive, `after ${i + 1}`)
  }
})

for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one'] as const) {
  t.test(`${strategy}: across a thread loss: all it took along count once`, async (t) => {
    const places = [keyOf(2), keyOf(2), keyOf(2), 'here'] as const
    const tree = await Tree.up(places, { ...limits, strategy })
    tree.loseThread(2)
    await tree.settle()
    await tree.replace(2)
    t.ok(tree.alive)
    const on = [0, 1, 2, 3].map((i) => tree.on(i))
    t.same(on, [SPARE, SPARE, SPARE, 1], 'where their key leads')
    tree.sim.nowMs = 0
    await tree.crash()
    t.ok(tree.alive, 'the loss was one of two')
    await tree.crash()
    t.equal(tree.reason, 'shutdown', 'and a crash after it one too many')
  })
}

t.test('two threads lost at once count as two, however their ends alternate', async (t) => {
  const tree = await Tree.up(['here', 'here', 'here', 'here'], limits)
  // Not lost themselves: linked with processes that are.
  for (const [i, scheduler] of [2, 3, 2, 3].entries()) {
    tree.end(i, { noconnection: { scheduler, cause: 'exit' } })
  }
  await tree.settle()
  t.ok(tree.alive)
  await tree.crash()
  t.equal(tree.reason, 'shutdown')
})

t.test('a planned end of a thread does not count at all', async (t) => {
  const tree = await Tree.up([keyOf(2), keyOf(2)], { ...limits, maxRestarts: 0 })
  tree.loseThread(2, 'stopped')
  await tree.settle()
  await tree.replace(2)
  t.ok(tree.alive)
  t.same([tree.on(0), tree.on(1)], [SPARE, SPARE])
})

for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one'] as const) {
  t.test(
    `${strategy}: a key has no other place while its thread is replaced: the child waits, uncounted`,
    async (t) => {
      const reports: string[] = []
      t.teardown(onEvent('supervisor', ({ context, child }) => reports.push(`${context} ${child}`)))
      const tree = await Tree.up(['here', keyOf(2), 'here'], { strategy, maxRestarts: 1 })
      const { board } = tree.sim.scheduler(1)
      tree.loseThread(2)
      await tree.settle()
      const [first, , last] = [tree.pid(0), tree.pid(1), tree.pid(2)]
      for (const step of ['free', 'booting', 'leaving']) {
        if (step === 'booting') board.claim(2, SPARE)
        if (step === 'leaving') board.setLeaving(2)
        for (let i = 0; i < 5; i++) await tree.wait()
        t.same([tree.pid(0), tree.pid(1), tree.pid(2)], [first, undefined, last], step)
      }
      await tree.replace(2)
      t.equal(tree.on(1), SPARE)
      t.equal(tree.pid(0), first, 'the one before it was restarted once')
      t.ok(tree.pid(2))
      t.ok(tree.alive)
      t.notOk(reports.some((report) => report.startsWith('start_error')))
    },
  )
}

t.test('a waiting child whose replacement is lost before it was known waits on', async (t) => {
  const tree = await Tree.up([keyOf(2)], { ...limits, maxRestarts: 1 })
  const { board } = tree.sim.scheduler(1)
  tree.loseThread(2)
  board.claim(2, 9)
  board.setReady(2)
  await tree.settle()
  for (let i = 0; i < 5; i++) await tree.wait()
  t.ok(tree.alive)
  t.equal(tree.on(0), 0)
  await tree.replace(2)
  t.equal(tree.on(0), SPARE)
})

t.test('a supervisor that starts while a thread is replaced waits for it', async (t) => {
  const tree = new Tree(['here', keyOf(2)], { ...limits, maxRestarts: 0 })
  tree.loseThread(2)
  await tree.settle()
  t.ok(tree.alive)
  t.equal(tree.on(1), 0)
  await tree.replace(2)
  t.same([tree.on(0), tree.on(1)], [1, SPARE])
})

t.test('a child of a dynamic supervisor waits for its thread, too', async (t) => {
  const tree = await Tree.up([], limits)
  const main = tree.sim.scheduler(1)
  const argument = dynamicSupervisor({ maxRestarts: 1 }).argument
  const behaviour = findBehaviour('beamish.dynamicSupervisor') as Behaviour
  const parent = tree.sim.idle(1)
  const sup = main.spawn(behaviour, argument, { parent: parent.pid, ancestors: [] })
  const caller = tree.sim.idle(1)
  const answer = caller.self.call(sup.pid, 'startChild', Kid.child(undefined, { place: keyOf(2) }))
  await tree.settle()
  t.match(await answer, { ok: true })
  tree.loseThread(2)
  await tree.settle()
  for (let i = 0; i < 5; i++) await tree.wait()
  await tree.replace(2)
  const children = caller.self.call(sup.pid, 'whichChildren')
  await tree.settle()
  const [{ pid }] = (await children) as [{ pid: Pid }]
  t.equal(schedulerOf(pid), SPARE)
})

t.test('whoever starts a process for a key meanwhile gets noproc', async (t) => {
  const tree = await Tree.up([], limits)
  tree.loseThread(2)
  const { self } = tree.sim.idle(1)
  const why = rejection(self.start(Kid, undefined, { place: keyOf(2) }))
  await tree.settle()
  t.equal(await why, 'noproc')
})

for (const [cause, maxRestarts] of [
  ['heap', 1],
  ['stopped', 0],
] as const) {
  t.test(
    `a child pinned to a thread that is lost (${cause}) is kept without a process: at most its loss counts`,
    async (t) => {
      const seen: string[] = []
      t.teardown(
        onEvent('supervisor', ({ context, child, reason }) => {
          if (context === 'start_error') seen.push(`${child} ${String(reason)}`)
        }),
      )
      const tree = await Tree.up([{ scheduler: 2 }, 'here'], { ...limits, maxRestarts })
      tree.loseThread(2, cause)
      await tree.settle()
      t.ok(tree.alive)
      t.equal(tree.pid(0), undefined)
      t.ok(tree.pid(1))
      t.equal((tree.sup.state as SupervisorState).children[0]?.retry, undefined)
      t.same(seen, ['0 noproc'], 'told once')
    },
  )
}

t.test('a supervisor that starts anew does without what is pinned to a lost thread', async (t) => {
  const tree = new Tree([{ scheduler: 2 }, 'here'], { ...limits, maxRestarts: 0 })
  tree.loseThread(2)
  await tree.settle()
  t.ok(tree.alive)
  t.equal(tree.pid(0), undefined)
  t.ok(tree.pid(1))
})
