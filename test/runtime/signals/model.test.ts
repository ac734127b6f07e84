/**
 * Property tests of signals against small models, over schedulers in one thread whose batches arrive in any order: who dies
 * of what in a graph of links and monitors, and what a receiver hears of each sender.
 */
import fc from 'fast-check'
import t from 'tap'
import { DownMessage, ExitMessage } from '../../../runtime/process/messages.ts'
import type { Pid, Ref } from '../../../runtime/process/pid.ts'
import type { Process } from '../../../runtime/process/process.ts'
import { cast, send } from '../../../runtime/scheduler/calls.ts'
import { demonitor, link, monitor, sendExit, unlink } from '../../../runtime/scheduler/signals.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'
import { holds } from '../../channels/property.ts'

const SCHEDULERS = 3
const scheduler = fc.nat(SCHEDULERS - 1)
/** Turns and deliveries in any order; what is left comes by settle(). */
const disorder = fc.array(fc.tuple(scheduler, scheduler), { maxLength: 20 })

function stir(sim: Simulation, steps: readonly (readonly [number, number])[]): void {
  for (const [a, b] of steps) {
    if (a === b) sim.turn(a)
    else sim.deliver(a, b)
  }
}

const PEOPLE = 7
const who = fc.nat(PEOPLE - 1)
const graph = fc.record({
  people: fc.array(fc.record({ on: scheduler, traps: fc.boolean() }), {
    minLength: PEOPLE,
    maxLength: PEOPLE,
  }),
  links: fc.array(fc.tuple(who, who), { maxLength: 12 }),
  unlinks: fc.array(fc.tuple(who, who), { maxLength: 4 }),
  monitors: fc.array(fc.record({ by: who, of: who, ends: fc.boolean() }), { maxLength: 10 }),
  signals: fc.array(
    fc.record({ to: who, reason: fc.constantFrom('normal', 'kill', 'boom', 'shutdown'), disorder }),
    { minLength: 1, maxLength: 4 },
  ),
})
type Graph = typeof graph extends fc.Arbitrary<infer G> ? G : never

/** What each is expected to have heard, and the reason it died of. */
interface Fate {
  dead: string | undefined
  readonly heard: string[]
}

const pair = (a: number, b: number): string => (a < b ? `${a}-${b}` : `${b}-${a}`)

/** The model: signals one after the other, each with all it causes before the next. */
function expected({ people, links, unlinks, monitors, signals }: Graph): Fate[] {
  const fates: Fate[] = people.map(() => ({ dead: undefined, heard: [] }))
  const linked = new Set(links.filter(([a, b]) => a !== b).map(([a, b]) => pair(a, b)))
  for (const [a, b] of unlinks) linked.delete(pair(a, b))
  const watching = monitors.filter(({ ends }) => !ends)
  const die = (one: number, reason: string): void => {
    const fate = fates[one] as Fate
    if (fate.dead !== undefined) return
    fate.dead = reason
    for (let other = 0; other < PEOPLE; other++) {
      const theirs = fates[other] as Fate
      if (!linked.delete(pair(one, other)) || theirs.dead !== undefined) continue
      if (people[other]?.traps) theirs.heard.push(`EXIT ${one} ${reason}`)
      else if (reason !== 'normal') die(other, reason)
    }
    for (const { by, of } of watching)
      if (of === one) fates[by]?.heard.push(`DOWN ${one} ${reason}`)
  }
  for (const { to, reason } of signals) {
    if (fates[to]?.dead !== undefined) continue
    if (reason === 'kill') die(to, 'killed')
    else if (people[to]?.traps) fates[to]?.heard.push(`EXIT outside ${reason}`)
    else if (reason !== 'normal') die(to, reason)
  }
  return fates
}

function observed({ people, links, unlinks, monitors, signals }: Graph): Fate[] {
  const sim = new Simulation(SCHEDULERS)
  const outside = sim.idle(0)
  const all: Process[] = people.map(({ on, traps }) => {
    const process = sim.idle(on)
    process.trapExit = traps
    return process
  })
  sim.settle()
  const at = (i: number): Process => all[i] as Process
  for (const [a, b] of links) link(at(a).scheduler, at(a), at(b).pid)
  sim.settle()
  for (const [a, b] of unlinks) unlink(at(a).scheduler, at(a), at(b).pid)
  for (const { by, of, ends } of monitors) {
    const ref: Ref = at(by).scheduler.refs.next()
    monitor(at(by).scheduler, at(by), at(of).pid, ref)
    if (ends) demonitor(at(by).scheduler, at(by), ref)
  }
  sim.settle()
  const mailboxes = all.map(({ mailbox }) => mailbox)
  const heard = new Map<Process, string[]>(all.map((process) => [process, []]))
  const nameOf = (pid: Pid | string): string => {
    const i = all.findIndex((process) => process.pid === pid)
    return i < 0 ? 'outside' : String(i)
  }
  for (const { to, reason, disorder } of signals) {
    sendExit(outside.scheduler, outside.pid, at(to).pid, reason)
    stir(sim, disorder)
    sim.settle()
  }
  for (const [i, process] of all.entries()) {
    for (const message of mailboxes[i]?.toArray() ?? []) {
      if (message instanceof ExitMessage) {
        heard.get(process)?.push(`EXIT ${nameOf(message.from)} ${String(message.reason)}`)
      } else if (message instanceof DownMessage) {
        heard.get(process)?.push(`DOWN ${nameOf(message.object)} ${String(message.reason)}`)
      }
    }
  }
  return all.map((process) => ({
    dead: process.alive ? undefined : String(process.exitReason),
    heard: heard.get(process) as string[],
  }))
}

t.test(
  'otp 1 to 27: in any graph of links and monitors each has the fate of the model',
  async (t) => {
    holds(
      t,
      fc.property(graph, (one) => {
        const [model, real] = [expected(one), observed(one)]
        return model.every((fate, i) => {
          const seen = real[i] as Fate
          if (fate.dead !== seen.dead) return false
          // The dead have no mailbox; EXIT and DOWN of one end have no order between them.
          if (fate.dead !== undefined) return true
          return fate.heard.toSorted().join() === seen.heard.toSorted().join()
        })
      }),
    )
  },
)

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      from: fc.nat(2),
      how: fc.constantFrom('send', 'cast', 'alias', 'exit'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ a: scheduler, b: scheduler }) },
)

t.test('otp 28, 29: a receiver hears each sender in order, whatever the schedule', async (t) => {
  holds(
    t,
    fc.property(scheduler, fc.array(step, { maxLength: 120, size: 'max' }), (home, steps) => {
      const sim = new Simulation(SCHEDULERS)
      const receiver = sim.idle(home)
      receiver.trapExit = true
      // One sender per scheduler: one of them beside the receiver.
      const senders = [0, 1, 2].map((id) => sim.idle(id))
      sim.settle()
      const alias = receiver.self.alias()
      const said = senders.map(() => 0)
      for (const one of steps) {
        if ('a' in one) {
          stir(sim, [[one.a, one.b]])
          continue
        }
        const { scheduler, pid } = senders[one.from] as Process
        const n = (said[one.from] as number) + 1
        said[one.from] = n
        if (one.how === 'send') send(scheduler, pid, receiver.pid, { from: one.from, n })
        else if (one.how === 'cast') cast(scheduler, pid, receiver.pid, 'x', { from: one.from, n })
        else if (one.how === 'alias') send(scheduler, pid, alias, { from: one.from, n })
        else sendExit(scheduler, pid, receiver.pid, { from: one.from, n })
      }
      sim.settle()
      const next = senders.map(() => 1)
      for (const message of receiver.mailbox.toArray() as Record<string, unknown>[]) {
        const { from, n } = (
          message instanceof ExitMessage ? message.reason : (message.payload ?? message)
        ) as { from: number; n: number }
        if (next[from] !== n) return false
        next[from] = n + 1
      }
      return next.every((n, i) => n === (said[i] as number) + 1)
    }),
  )
})
