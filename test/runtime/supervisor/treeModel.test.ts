/**
 * Trees of supervisors, of random shape, under random ends of anyone in them, supervisors included, and random requests, against
 * a model of OTP's rules: who runs, who was started anew and who was not, in which order, and who was stopped, in which order.
 * On a scheduler of the test's own, with its clock. RUNS=10000 for more of them, SEED for the same ones again.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ExitReason, type Pid, supervisor } from 'beamish'
import fc from 'fast-check'
import t from 'tap'
import { findBehaviour } from '../../../runtime/process/behaviour.ts'
import { NO_PID } from '../../../runtime/process/pid.ts'
import { type Process, Status } from '../../../runtime/process/process.ts'
import { call } from '../../../runtime/scheduler/calls.ts'
import { sendExit } from '../../../runtime/scheduler/signals.ts'
import { stop } from '../../../runtime/scheduler/stops.ts'
import type { ChildSpec } from '../../../runtime/supervisor/childSpec.ts'
import { SupervisorState } from '../../../runtime/supervisor/supervisor.ts'
import type { SimScheduler } from '../../../runtime/testing/simScheduler.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'
import { Child, Fragile } from './children.ts'
import { isTree, type Node, TreeModel, type TreeSpec, type WorkerSpec } from './treeModel.ts'

const RUNS = Number(process.env.RUNS ?? 150)
const DEPTH = 4
/** Each step has a slot of its own: whatever has to be waited for in it is over before the next one. */
const SLOT_MS = 60_000
/** Restarts count for the step before, or for all there are. */
const WINDOWS = [90, 10_000]
const STUBBORN_MS = 500
/** Longer than it is given. */
const TERMINATE_MS = 1_000

const restart = fc.constantFrom('permanent', 'permanent', 'transient', 'temporary')

interface Shape {
  readonly strategy: TreeSpec['strategy']
  readonly autoShutdown: TreeSpec['autoShutdown']
  readonly maxRestarts: number
  readonly maxSeconds: number
  readonly shutdown: 'brutal_kill' | 'time' | 'infinity'
  readonly restart: WorkerSpec['restart']
  readonly significant: boolean
  readonly children: readonly (Shape | Omit<WorkerSpec, 'id'>)[]
}

const worker: fc.Arbitrary<Omit<WorkerSpec, 'id'>> = fc.record({
  kind: fc.constantFrom('fragile', 'trapping', 'stubborn'),
  restart,
  significant: fc.boolean(),
  shutdown: fc.constantFrom<'brutal_kill' | number>('brutal_kill', STUBBORN_MS),
})

const shapes = (depth: number): fc.Arbitrary<Shape> =>
  fc.record({
    strategy: fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one'),
    autoShutdown: fc.constantFrom('never', 'never', 'any_significant', 'all_significant'),
    maxRestarts: fc.constantFrom(0, 1, 2, 3, 8, 8),
    maxSeconds: fc.constantFrom(...WINDOWS),
    shutdown: fc.constantFrom('brutal_kill', 'time', 'infinity', 'infinity', 'infinity'),
    restart,
    significant: fc.boolean(),
    children: fc.array(depth <= 1 ? worker : fc.oneof(worker, worker, shapes(depth - 1)), {
      minLength: 1,
      maxLength: 4,
      size: 'max',
    }),
  })

const nat = fc.nat(1_000)
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('ends'),
      at: nat,
      reason: fc.constantFrom('normal', 'shutdown', 'boom', 'killed'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('both'), at: nat, other: nat }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('stops'),
      at: nat,
      reason: fc.constantFrom('normal', 'shutdown', 'boom'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('signal'), at: nat }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('terminate'), at: nat }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart'), at: nat }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete'), at: nat }) },
)
const run = fc.record({
  shape: shapes(DEPTH),
  steps: fc.array(step, { maxLength: 15, size: 'max' }),
})
type Run = typeof run extends fc.Arbitrary<infer R> ? R : never
type Step = Run['steps'][number]

/** With an id that is the way to it; no two times to stop in are the same, so that which is over first is no question. */
function specOf(shape: Shape, id: string, depth: number, auto: TreeSpec['autoShutdown']): TreeSpec {
  const significantIn = (one: { significant: boolean; restart: string }, of: string): boolean =>
    of !== 'never' && one.significant && one.restart !== 'permanent'
  const children = shape.children.map((child, i) => {
    const path = `${id}.${i}`
    if ('children' in child) return specOf(child, path, depth + 1, shape.autoShutdown)
    return { ...child, id: path, significant: significantIn(child, shape.autoShutdown) }
  })
  const times = { brutal_kill: 'brutal_kill', time: 311 - 73 * depth, infinity: Infinity } as const
  const significant = significantIn(shape, auto)
  return { ...shape, id, children, shutdown: times[shape.shutdown], significant }
}

function childOf(spec: WorkerSpec | TreeSpec, witness: Pid): ChildSpec {
  const { id, restart, significant, shutdown } = spec
  const options = { id, restart, significant, shutdown }
  if (isTree(spec)) {
    const { strategy, autoShutdown, maxRestarts, maxSeconds } = spec
    const children = spec.children.map((child) => childOf(child, witness))
    const own = { strategy, autoShutdown, maxRestarts, maxSeconds, children }
    return supervisor({ ...options, ...own })
  }
  const start = { witness, id }
  if (spec.kind === 'fragile') return Fragile.child(start, options)
  const terminateMs = spec.kind === 'stubborn' ? { terminateMs: TERMINATE_MS } : {}
  return Child.child({ ...start, ...terminateMs }, options)
}

/** The tree as it is, beside the model's. */
class Real {
  readonly sim = new Simulation(1)
  readonly scheduler: SimScheduler = this.sim.scheduler(0)
  readonly outside: Process = this.sim.idle(0)
  readonly root: Process

  constructor(spec: TreeSpec) {
    const { behaviour, argument } = childOf(spec, this.outside.pid)
    const born = { parent: NO_PID, ancestors: [] }
    this.root = this.scheduler.spawn(findBehaviour(behaviour) as never, argument, born)
  }

  /** Until everybody waits for a message and has none; time passes only where nothing else does. */
  async rest(): Promise<void> {
    for (let calm = 0; calm < 2; ) {
      this.sim.settle()
      await nextTurn()
      const busy = [...this.scheduler.slots].some(
        (one) => one !== this.outside && (one.status !== Status.Idle || one.mailbox.length > 0),
      )
      if (!busy) calm++
      else if (this.scheduler.ready.size === 0 && this.sim.thread(0).turns.length === 0) {
        const next = this.sim.nextAlarm()
        if (next !== undefined) this.sim.pass(Math.max(0, next - this.sim.nowMs))
      }
    }
  }

  /** Everyone the supervisors have, by id: their pids in the order of the children. */
  tree(process: Process = this.root, id = '0'): [string, Pid | undefined][] {
    const { children } = process.state as SupervisorState
    return [
      [id, process.pid],
      ...children.flatMap(({ spec, pid }): [string, Pid | undefined][] => {
        const found = pid === undefined ? undefined : this.scheduler.find(pid)
        return found?.state instanceof SupervisorState
          ? this.tree(found, spec.id)
          : [[spec.id, found?.pid]]
      }),
    ]
  }

  /** Ids of those that told of their start, or of their terminate, since the last time. */
  told(): { up: string[]; down: string[] } {
    const messages = this.outside.mailbox.toArray() as { type: string; id: string }[]
    this.outside.mailbox.clear()
    const of = (type: string): string[] =>
      messages.flatMap((one) => (one.type === type ? [one.id] : []))
    return { up: of('up'), down: of('down') }
  }

  ask(at: Pid, event: string, id: string): Promise<unknown> {
    return call(this.scheduler, this.outside, at, event, id, Number.POSITIVE_INFINITY)
  }
}

/** Does one step with both; what is asked answers when it has happened. */
function take(step: Step, model: TreeModel, real: Real, pids: Map<string, Pid | undefined>): void {
  const may = step.kind === 'restart' || step.kind === 'delete'
  // With the root all is over: seldom.
  const all = model.nodes().slice(step.at % 10 === 0 ? 0 : 1)
  const nodes = all.filter((one) => may || one.up)
  const node = nodes[step.at % nodes.length]
  if (node === undefined) return
  const processOf = ({ spec }: Node): Process =>
    real.scheduler.find(pids.get(spec.id) as Pid) as never
  const { kind } = step
  if (kind === 'terminate' || kind === 'restart' || kind === 'delete') {
    const { parent, spec } = node
    if (parent === undefined || !parent.up) return
    model[kind](node)
    void real.ask(pids.get(parent.spec.id) as Pid, `${kind}Child`, spec.id)
    return
  }
  const tree = isTree(node.spec)
  if ('other' in step) {
    const siblings = (node.parent?.children ?? []).filter((one) => one.up && one !== node)
    const other = siblings[step.other % siblings.length]
    if (other === undefined) return
    for (const one of [node, other]) real.scheduler.exit(processOf(one), 'boom')
    model.bothEnd(node, other, 'boom')
  } else if (kind === 'signal') {
    // From a stranger it ends only who does not trap exits.
    const traps = tree || (node.spec as WorkerSpec).kind !== 'fragile'
    if (traps && !tree) return
    sendExit(real.scheduler, real.outside.pid, processOf(node).pid, 'boom')
    if (!traps) model.ends(node, 'boom')
  } else if ('reason' in step) {
    const { reason } = step
    if (kind === 'stops') {
      if (!tree) return
      model.stops(node, reason)
      stop(real.scheduler, real.outside, processOf(node).pid, reason, Infinity).catch(() => {})
    } else {
      // Normal is not a reason that a link hands on: a supervisor never ends so with children.
      if (tree && reason === 'normal') return
      model.ends(node, reason)
      const process = processOf(node)
      if (reason === 'killed') sendExit(real.scheduler, real.outside.pid, process.pid, 'kill')
      else real.scheduler.exit(process, reason as ExitReason)
    }
  }
}

/** Why both differ; undefined: they do not. */
async function difference({ shape, steps }: Run): Promise<string | undefined> {
  const spec = specOf({ ...shape, maxRestarts: shape.maxRestarts + 2 }, '0', 0, 'never')
  const model = new TreeModel(spec)
  const real = new Real(spec)
  let lives = new Map<string, number>()
  let pids = new Map<string, Pid | undefined>()
  for (let slot = 1; slot <= steps.length + 1; slot++) {
    await real.rest()
    real.sim.pass(slot * SLOT_MS - real.sim.nowMs)
    await real.rest()
    model.nowMs = slot * SLOT_MS
    const { up, down } = real.told()
    const at = `step ${slot - 1} ${JSON.stringify(steps[slot - 2])}:`
    if (`${up}` !== `${model.started}`) return `${at} started ${up}, not ${model.started}`
    if (!model.unordered && `${down}` !== `${model.stopped}`) {
      return `${at} stopped ${down}, not ${model.stopped}`
    }
    const count = [...real.scheduler.slots].length - 1
    if (model.ended !== undefined) {
      const as = real.root.alive ? 'runs' : `ended with ${real.root.exitReason}`
      return count === 0 && real.root.exitReason === model.ended
        ? undefined
        : `${at} the root ${as}, not ${model.ended}; ${count} processes are left`
    }
    if (!real.root.alive) return `${at} the root ended with ${real.root.exitReason}`
    const nodes = model.nodes().filter((node) => node.parent === undefined || node.parent.up)
    const seen = real.tree()
    const ids = nodes.map((node) => node.spec.id)
    if (`${seen.map(([id]) => id)}` !== `${ids}`) return `${at} has ${seen}, not ${ids}`
    const now = new Map(seen)
    for (const { spec, up, life } of nodes) {
      const pid = now.get(spec.id)
      if ((pid !== undefined) !== up) return `${at} ${spec.id} ${up ? 'is down' : 'runs'}`
      const [before, was] = [pids.get(spec.id), lives.get(spec.id)]
      if (up && was !== undefined && (was === life) !== (before === pid)) {
        return `${at} ${spec.id} ${before === pid ? 'is the same' : 'is another'}`
      }
    }
    const running = nodes.filter((node) => node.up).length
    if (count !== running) return `${at} ${count} processes, not ${running}`
    pids = now
    lives = new Map(nodes.flatMap(({ spec, up, life }) => (up ? [[spec.id, life] as const] : [])))
    model.forget()
    const next = steps[slot - 1]
    if (next !== undefined) take(next, model, real, pids)
  }
  return undefined
}

t.test(
  'otp 121 to 132, 142 to 148, 150: a tree of supervisors does as the model does, step by step',
  async (t) => {
    const holds = async (one: Run): Promise<void> => {
      const found = await difference(one)
      if (found !== undefined) throw new Error(found)
    }
    const seed = process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) }
    const outcome = await fc.check(fc.asyncProperty(run, holds), { numRuns: RUNS, ...seed })
    t.ok(!outcome.failed, fc.defaultReportMessage(outcome) ?? 'the property holds')
    t.comment(`SEED=${outcome.seed}`)
  },
)
