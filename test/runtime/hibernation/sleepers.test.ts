// Who falls asleep when, on a scheduler whose time a test moves.
import { type CrashReport, genServer, onEvent } from 'beamish'
import t from 'tap'
import type { Behaviour } from '../../../runtime/process/behaviour.ts'
import { NO_PID } from '../../../runtime/process/pid.ts'
import type { Process } from '../../../runtime/process/process.ts'
import { anonymous } from '../../../runtime/process/raw.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'

const AFTER_MS = 1_000

const Idle = genServer('test.idle', {
  hibernateAfterMs: AFTER_MS,
  init: (_: undefined) => ({ messages: 0 }),
  handleInfo: (state) => {
    state.messages++
  },
})
const Awake = genServer('test.awake', {
  init: (_: undefined) => ({ messages: 0 }),
  handleInfo: (state) => {
    state.messages++
  },
})

function stage(behaviour: unknown, count: number): { sim: Simulation; all: Process[] } {
  const sim = new Simulation(1)
  const scheduler = sim.scheduler(0)
  const all = Array.from({ length: count }, () =>
    scheduler.spawn(behaviour as Behaviour, undefined, { parent: NO_PID, ancestors: [] }),
  )
  sim.settle()
  return { sim, all }
}

const asleep = (all: readonly Process[]): number =>
  all.filter((process) => process.attendant?.hibernated === true).length

/** Lets time pass in small steps, as it does. */
function pass(sim: Simulation, ms: number): void {
  for (let left = ms; left > 0; left -= 5) {
    sim.pass(5)
    sim.settle()
  }
}

t.test('idle for its time, and not twice as long, each of many is asleep', async (t) => {
  const { sim, all } = stage(Idle, 200)
  pass(sim, AFTER_MS - 5)
  t.equal(asleep(all), 0)
  pass(sim, AFTER_MS)
  t.equal(asleep(all), 200)
  t.equal(sim.scheduler(0).sleepers.sleeping, 200)
  t.equal(sim.scheduler(0).clock.size, 0, 'with all asleep nothing ticks')
  sim.scheduler(0).deliver(all[0] as Process, 'wake up')
  sim.settle()
  t.equal(asleep(all), 199)
  t.equal(((all[0] as Process).state as { messages: number }).messages, 1)
  pass(sim, 2 * AFTER_MS)
  t.equal(asleep(all), 200)
  for (const process of all) sim.scheduler(0).exit(process, 'kill')
  t.equal(sim.scheduler(0).sleepers.sleeping, 0)
})

t.test('one that is sent a message now and then stays awake', async (t) => {
  const { sim, all } = stage(Idle, 2)
  const [busy, idle] = all as [Process, Process]
  for (let i = 0; i < 20; i++) {
    pass(sim, AFTER_MS / 2)
    sim.scheduler(0).deliver(busy, 'again')
    sim.settle()
  }
  t.equal(asleep([idle]), 1)
  t.equal(asleep([busy]), 0)
})

t.test('no timer is armed per message or process', async (t) => {
  const { sim, all } = stage(Idle, 100)
  for (let i = 0; i < 50; i++) {
    for (const process of all) sim.scheduler(0).deliver(process, 'message')
    sim.settle()
  }
  t.equal(sim.scheduler(0).clock.size, 1)
  t.equal(sim.scheduler(0).sleepers.timers, 1)
})

t.test('without hibernateAfterMs nobody is looked at', async (t) => {
  const { sim, all } = stage(Awake, 10)
  t.equal(sim.scheduler(0).clock.size, 0)
  pass(sim, 100_000)
  t.equal(asleep(all), 0)
})

t.test('many that are due at once fall asleep a few at a time', async (t) => {
  const { sim, all } = stage(Awake, 100)
  for (const process of all) sim.scheduler(0).sleepers.soon(process)
  const counts: number[] = []
  for (let i = 0; i < 50 && asleep(all) < all.length; i++) {
    sim.settle()
    counts.push(asleep(all))
    sim.pass(1)
  }
  t.equal(asleep(all), 100)
  const steps = counts.map((count, i) => count - (counts[i - 1] ?? 0))
  t.ok(Math.max(...steps) <= 16, `${steps}`)
})

t.test('one that awaits an answer stays awake until it has it', async (t) => {
  const { sim, all } = stage(Awake, 1)
  const [process] = all as [Process]
  const ref = sim.scheduler(0).refs.next()
  process.pendingOrNew().set(ref, { scheduler: 0, reply() {}, down() {}, abandon() {} })
  sim.scheduler(0).sleepers.soon(process)
  sim.settle()
  t.equal(asleep(all), 0)
  process.pending?.delete(ref)
  sim.scheduler(0).sleepers.soon(process)
  sim.settle()
  t.equal(asleep(all), 1)
})

t.test('a crash report of one that sleeps shows its state', async (t) => {
  const rows = Array.from({ length: 100 }, (_, i) => ({ id: i, name: `row ${i}` }))
  const Stray = genServer('test.straySleeper', {
    containStrays: true,
    hibernateAfterMs: AFTER_MS,
    init: (_: undefined) => ({ rows }),
  })
  const { sim, all } = stage(Stray, 1)
  const [process] = all as [Process]
  pass(sim, 2 * AFTER_MS)
  t.equal(asleep(all), 1)
  t.equal(process.state, undefined, 'it is serialized')
  const told: CrashReport[] = []
  t.teardown(onEvent('crash', (report) => told.push(report)))
  process.scheduler.report(process, 'boom', undefined, 'uncaughtException')
  t.strictSame(told[0]?.state, { rows })
  sim.scheduler(0).exit(process, 'boom')
  t.equal(sim.scheduler(0).sleepers.sleeping, 0)
})

t.test('to sleep for ever, again and again, leaves one entry', async (t) => {
  const { sim } = stage(Awake, 0)
  const body = anonymous((self) => {
    for (let i = 0; i < 100; i++) void self.sleep(Number.POSITIVE_INFINITY)
    return self.sleep(Number.POSITIVE_INFINITY)
  })
  const born = { parent: NO_PID, ancestors: [] }
  const process = sim.scheduler(0).spawn(body, undefined, born)
  sim.settle()
  t.equal(process.pending?.size, 1)
  t.equal(sim.scheduler(0).clock.size, 0)
})
