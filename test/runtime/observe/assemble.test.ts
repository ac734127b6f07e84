// The tree that is put together of what several threads tell, over made-up process tables.
import fc from 'fast-check'
import t from 'tap'
import { assemble } from '../../../runtime/observe/assemble.ts'
import type { TreeNode } from '../../../runtime/observe/figures.ts'
import { Largest } from '../../../runtime/observe/largest.ts'
import { look } from '../../../runtime/observe/look.ts'
import { checkObserve } from '../../../runtime/observe/options.ts'
import { NO_PID, type Pid } from '../../../runtime/process/pid.ts'
import { anonymous } from '../../../runtime/process/raw.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'
import { holds } from '../../channels/property.ts'

const body = anonymous(() => new Promise(() => {}))

function* all(nodes: readonly TreeNode[]): Generator<TreeNode> {
  for (const one of nodes) {
    yield one
    yield* all(one.children)
  }
}

/** Processes in the order they are born: on which of three threads, by which of those before (or nobody). */
const births = fc.array(fc.record({ thread: fc.nat(2), by: fc.nat(40), ends: fc.boolean() }), {
  minLength: 1,
  maxLength: 40,
})

async function observed(
  born: readonly { thread: number; by: number; ends: boolean }[],
  options: Parameters<typeof checkObserve>[0],
) {
  const simulation = new Simulation(3)
  const made: { pid: Pid; parent: Pid; ancestors: readonly Pid[] }[] = []
  for (const { thread, by } of born) {
    const parent = made[by]
    const ancestors = parent === undefined ? [] : [parent.pid, ...parent.ancestors].slice(0, 16)
    const request = { parent: parent?.pid ?? NO_PID, ancestors }
    const { pid } = simulation.scheduler(thread).spawn(body, undefined, request)
    made.push({ pid, ...request })
  }
  const dead = new Set<Pid>()
  for (const [i, { thread, ends }] of born.entries()) {
    const { pid } = made[i] as { pid: Pid }
    const scheduler = simulation.scheduler(thread)
    const process = scheduler.find(pid)
    // A quarter ends, and leaves its children behind.
    if (!ends || i % 2 === 0 || process === undefined) continue
    scheduler.exit(process, 'normal')
    dead.add(pid)
  }
  const settings = checkObserve(options)
  const looks = await Promise.all(simulation.schedulers.map((one) => look(one, settings)))
  return { made: made.filter(({ pid }) => !dead.has(pid)), found: assemble(looks, 0, settings) }
}

t.test('without bounds everybody alive is shown once, under who started them', async (t) => {
  await holdsAsync(t, async (born) => {
    const { made, found } = await observed(born, { maxChildren: 1_000, maxProcesses: 1_000 })
    const shown = [...all(found.tree), ...found.loose.processes]
    const pids = shown.map(({ figures }) => figures?.pid)
    if (new Set(pids).size !== pids.length || pids.length !== made.length) return false
    if (found.processes.total !== made.length || found.processes.shown !== made.length) return false
    const alive = new Set(made.map(({ pid }) => pid))
    return (
      [...all(found.tree)].every(
        ({ figures, children, left }) =>
          left === 0 && children.every((child) => child.figures?.parent === figures?.pid),
      ) &&
      [...found.tree, ...found.loose.processes].every(
        ({ figures }) => !alive.has(figures?.parent as Pid),
      )
    )
  })
})

t.test(
  'with bounds nothing is shown beyond them, and what is left of a process is counted',
  async (t) => {
    await holdsAsync(t, async (born) => {
      const { made, found } = await observed(born, { maxChildren: 2, maxProcesses: 9 })
      const shown = [...all(found.tree), ...found.loose.processes]
      if (shown.length > 9 || shown.length !== found.processes.shown) return false
      return [...all(found.tree)].every(({ figures, children, left }) => {
        const has = made.filter(({ parent }) => parent === figures?.pid).length
        return children.length <= 2 && children.length + left === has
      })
    })
  },
)

t.test('a chain of processes, each started by the one before, is shown so far down', async (t) => {
  const born = Array.from({ length: 5_000 }, (_, i) => ({ thread: i % 3, by: i - 1, ends: false }))
  const { found } = await observed(born, { maxProcesses: 100_000 })
  const shown = [...all(found.tree)]
  t.equal(shown.length, 200)
  t.equal(shown.at(-1)?.left, 1)
  t.equal(found.processes.total, 5_000)
  t.equal((JSON.parse(JSON.stringify(found.tree)) as unknown[]).length, 1)
})

async function holdsAsync(
  t: { ok(value: unknown, message: string): unknown },
  predicate: (born: readonly { thread: number; by: number; ends: boolean }[]) => Promise<boolean>,
): Promise<void> {
  const outcome = await fc.check(fc.asyncProperty(births, predicate), { numRuns: 60 })
  t.ok(!outcome.failed, fc.defaultReportMessage(outcome) ?? 'the property holds')
}

t.test('the largest are those that sorting would give', async (t) => {
  holds(
    t,
    fc.property(fc.array(fc.nat(50)), fc.nat(8), (values, max) => {
      const largest = new Largest<number>(max)
      for (const value of values) largest.offer(value, value)
      const sorted = values.filter((one) => one > 0).sort((a, b) => b - a)
      return String(largest.items.map(({ value }) => value)) === String(sorted.slice(0, max))
    }),
  )
})
