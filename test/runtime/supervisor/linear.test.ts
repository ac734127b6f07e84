/**
 * Children of one dynamic supervisor that all die at once: what a restart does must not grow with their number. Not timed:
 * the elements that its tables, lists and mailboxes are asked for are counted.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { dynamicSupervisor } from 'beamish'
import t from 'tap'
import { findBehaviour } from '../../../runtime/process/behaviour.ts'
import { Mailbox } from '../../../runtime/process/mailbox.ts'
import { NO_PID } from '../../../runtime/process/pid.ts'
import type { Process } from '../../../runtime/process/process.ts'
import { call } from '../../../runtime/scheduler/calls.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'
import { Fragile } from './children.ts'

/** Counts while `run` runs: lookups as one, walks as what they walk. */
async function counted(run: () => Promise<void>): Promise<number> {
  let work = 0
  const undo: (() => void)[] = []
  const count = (prototype: object, name: PropertyKey, cost: (self: never) => number): void => {
    const before = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor
    const original = before.value as (...args: unknown[]) => unknown
    Object.defineProperty(prototype, name, {
      ...before,
      value(this: never, ...args: unknown[]) {
        work += cost(this)
        return original.apply(this, args)
      },
    })
    undo.push(() => Object.defineProperty(prototype, name, before))
  }
  const one = (): number => 1
  for (const name of ['get', 'set', 'has', 'delete']) count(Map.prototype, name, one)
  for (const name of ['values', 'keys', 'entries', 'forEach', Symbol.iterator]) {
    count(Map.prototype, name, ({ size }: Map<unknown, unknown>) => size)
  }
  for (const name of ['find', 'findIndex', 'indexOf', 'includes', 'filter', 'splice', 'shift']) {
    count(Array.prototype, name, ({ length }: unknown[]) => length)
  }
  for (const name of ['at', 'push', 'shift']) count(Mailbox.prototype, name, one)
  // Walks from the front to what it takes.
  count(Mailbox.prototype, 'take', ({ length }: Mailbox) => length)
  try {
    await run()
  } finally {
    for (const back of undo) back()
  }
  return work
}

/** What is counted for one child, when `children` of them are killed at once and restarted. */
async function workEach(children: number): Promise<number> {
  const sim = new Simulation(1)
  const scheduler = sim.scheduler(0)
  const { behaviour, argument } = dynamicSupervisor({ maxRestarts: 1_000_000 })
  const born = { parent: NO_PID, ancestors: [] }
  const sup = scheduler.spawn(findBehaviour(behaviour) as never, argument, born)
  const outside: Process = sim.idle(0)
  sim.settle()
  const spec = Fragile.child({ witness: NO_PID, id: 'x' })
  const starts: Promise<unknown>[] = []
  for (let i = 0; i < children; i++) {
    starts.push(call(scheduler, outside, sup.pid, 'startChild', spec, Number.POSITIVE_INFINITY))
  }
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) {
      sim.settle()
      await nextTurn()
    }
  }
  const all = (): Process[] => [...scheduler.slots].filter(({ parent }) => parent === sup.pid)
  await until(() => all().length === children)
  await Promise.all(starts)
  sim.settle()
  const victims = all()
  const dead = new Set(victims)
  let up = 0
  const work = await counted(async () => {
    for (const victim of victims) scheduler.exit(victim, 'killed')
    // Without a look at the slots: that would be counted.
    while (scheduler.processCount < children + 2 || sup.mailbox.length > 0) {
      sim.settle()
      await nextTurn()
    }
  })
  for (const process of all()) if (!dead.has(process)) up++
  if (up !== children) throw new Error(`${up} of ${children} were restarted`)
  return work / children
}

t.test('the restart of one among 2,000 that died costs what it does among 100', async (t) => {
  const [few, many] = [await workEach(100), await workEach(2_000)]
  t.ok(few > 10, `${few} elements are asked for at each restart, so they are counted`)
  // Node's own tables are counted with it, so it is not the same number; one look at every sibling would be 2,000.
  t.ok(many < few * 4, `among 2,000 it is ${many}`)
})
