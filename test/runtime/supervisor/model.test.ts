/**
 * A supervisor under random ends of its children and random requests, against a model of OTP's rules: who is restarted, who
 * is stopped, who is forgotten, and when it gives up. On a scheduler of the test's own, with its clock.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ExitReason, supervisor } from 'beamish'
import fc from 'fast-check'
import t from 'tap'
import { findBehaviour } from '../../../runtime/process/behaviour.ts'
import { NO_PID, type Pid } from '../../../runtime/process/pid.ts'
import { Status } from '../../../runtime/process/process.ts'
import { call } from '../../../runtime/scheduler/calls.ts'
import { sendExit } from '../../../runtime/scheduler/signals.ts'
import type { Restart } from '../../../runtime/supervisor/childSpec.ts'
import type { ChildInfo } from '../../../runtime/supervisor/supervisor.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'
import { Fragile } from './children.ts'

const CHILDREN = 4
const MAX_SECONDS = 5
const reasons = ['normal', 'shutdown', 'boom', 'killed'] as const

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ ends: fc.nat(CHILDREN - 1), reason: fc.constantFrom(...reasons) }),
  },
  { weight: 1, arbitrary: fc.record({ terminate: fc.nat(CHILDREN - 1) }) },
  { weight: 1, arbitrary: fc.record({ restart: fc.nat(CHILDREN - 1) }) },
  { weight: 2, arbitrary: fc.record({ passMs: fc.nat(4_000) }) },
)
const run = fc.record({
  strategy: fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one'),
  autoShutdown: fc.constantFrom('never', 'any_significant', 'all_significant'),
  maxRestarts: fc.nat(4),
  children: fc.array(
    fc.record({
      restart: fc.constantFrom<Restart>('permanent', 'transient', 'temporary'),
      significant: fc.boolean(),
    }),
    { minLength: CHILDREN, maxLength: CHILDREN },
  ),
  steps: fc.array(step, { maxLength: 25 }),
})
type Run = typeof run extends fc.Arbitrary<infer R> ? R : never
type Step = Run['steps'][number]

const isSignificant = (one: Run, i: number): boolean =>
  one.autoShutdown !== 'never' &&
  one.children[i]?.significant === true &&
  one.children[i]?.restart !== 'permanent'

/** Starts of each child until now, and whether it runs; undefined once its spec is gone. */
type Children = ({ starts: number; up: boolean } | undefined)[]

/** The rules, one step at a time. */
class Model {
  readonly children: Children
  alive = true
  readonly #run: Run
  readonly #restarts: number[] = []

  constructor(one: Run) {
    this.#run = one
    this.children = one.children.map(() => ({ starts: 1, up: true }))
  }

  step(step: Step, nowMs: number): void {
    if ('ends' in step) this.#ends(step.ends, step.reason, nowMs)
    else if ('terminate' in step) this.#terminate(step.terminate)
    else if ('restart' in step) {
      const child = this.children[step.restart]
      if (child !== undefined && !child.up) this.#start(step.restart)
    }
  }

  #start(i: number): void {
    const child = this.children[i]
    if (child === undefined) return
    child.starts++
    child.up = true
  }

  #terminate(i: number): void {
    const child = this.children[i]
    if (child === undefined) return
    child.up = false
    if (this.#run.children[i]?.restart === 'temporary') this.children[i] = undefined
  }

  #ends(i: number, reason: string, nowMs: number): void {
    const child = this.children[i]
    if (child === undefined || !child.up) return
    const { strategy, maxRestarts, children, autoShutdown } = this.#run
    const { restart } = children[i] as Run['children'][number]
    child.up = false
    const orderly = reason === 'normal' || reason === 'shutdown'
    if (restart === 'temporary' || (restart === 'transient' && orderly)) {
      if (restart === 'temporary') this.children[i] = undefined
      const left = this.children.some((one, at) => one?.up === true && isSignificant(this.#run, at))
      const ends = autoShutdown === 'any_significant' || !left
      if (isSignificant(this.#run, i) && ends) this.alive = false
      return
    }
    this.#restarts.push(nowMs)
    if (this.#restarts.filter((at) => nowMs - at <= MAX_SECONDS * 1_000).length > maxRestarts) {
      this.alive = false
      return
    }
    const from = strategy === 'one_for_all' ? 0 : i
    const to = strategy === 'one_for_one' ? i : CHILDREN - 1
    for (let at = from; at <= to; at++) if (at !== i) this.#terminate(at)
    for (let at = from; at <= to; at++) this.#start(at)
  }
}

async function agrees(one: Run): Promise<boolean> {
  const sim = new Simulation(1)
  const scheduler = sim.scheduler(0)
  const outside = sim.idle(0)
  const starts: string[] = []
  const ids = one.children.map((_, i) => `c${i}`)
  const tree = supervisor({
    strategy: one.strategy as 'one_for_one',
    autoShutdown: one.autoShutdown as 'never',
    maxRestarts: one.maxRestarts,
    maxSeconds: MAX_SECONDS,
    children: one.children.map(({ restart }, i) =>
      Fragile.child(
        { witness: outside.pid, id: ids[i] as string },
        { id: ids[i] as string, restart, significant: isSignificant(one, i) },
      ),
    ),
  })
  const born = { parent: NO_PID, ancestors: [] }
  const sup = scheduler.spawn(findBehaviour(tree.behaviour) as never, tree.argument, born)
  const rest = async (): Promise<void> => {
    // It waits for the init or the end of one child after the other; dead it is done.
    for (let calm = 0; calm < 2; ) {
      sim.settle()
      await nextTurn()
      const done = !sup.alive || (sup.status === Status.Idle && sup.mailbox.length === 0)
      calm = done ? calm + 1 : 0
    }
  }
  const ask = async <T>(event: string, payload?: unknown): Promise<T> => {
    const answer = call(scheduler, outside, sup.pid, event, payload, Number.POSITIVE_INFINITY)
    await rest()
    return (await answer) as T
  }
  const which = async (): Promise<Map<string, Pid | undefined>> => {
    const infos = await ask<ChildInfo[]>('whichChildren')
    return new Map(infos.map(({ id, pid }) => [id, pid as Pid | undefined]))
  }
  await rest()
  const model = new Model(one)
  for (const step of one.steps) {
    model.step(step, sim.nowMs)
    if ('passMs' in step) sim.pass(step.passMs)
    else if ('terminate' in step) await ask('terminateChild', ids[step.terminate])
    else if ('restart' in step) await ask('restartChild', ids[step.restart])
    else {
      const pid = (await which()).get(ids[step.ends] as string)
      const victim = pid === undefined ? undefined : scheduler.find(pid)
      if (victim !== undefined) scheduler.exit(victim, step.reason as ExitReason)
      await rest()
    }
    if (sup.alive !== model.alive) return false
    if (!model.alive) {
      // It stopped all it had.
      const left = [...scheduler.slots].filter(({ parent }) => parent === sup.pid)
      return left.length === 0 && sup.exitReason === 'shutdown'
    }
    for (const message of outside.mailbox.toArray() as { type?: string; id: string }[]) {
      if (message.type === 'up') starts.push(message.id)
    }
    outside.mailbox.clear()
    const real = await which()
    const same = model.children.every((child, i) => {
      const id = ids[i] as string
      if (child === undefined) return !real.has(id)
      const seen = starts.filter((started) => started === id).length
      return (real.get(id) !== undefined) === child.up && real.has(id) && seen === child.starts
    })
    if (!same) return false
  }
  sendExit(scheduler, outside.pid, sup.pid, 'kill')
  return true
}

t.test(
  'otp 121 to 132, 145 to 148: a supervisor does as the model does, step by step',
  async (t) => {
    const outcome = await fc.check(fc.asyncProperty(run, agrees), { numRuns: 300 })
    t.ok(!outcome.failed, fc.defaultReportMessage(outcome) ?? 'the property holds')
  },
)
