// Registries under random registrations and ends, on simulated threads, against a plain list; and what a death costs.
import fc from 'fast-check'
import t from 'tap'
import type { Process } from '../../../runtime/process/process.ts'
import { DuplicateTable } from '../../../runtime/registry/duplicateTable.ts'
import { Simulation } from '../../../runtime/testing/simulation.ts'
import type { holds } from '../../channels/property.ts'
import { claims, quiet } from './actors.app.ts'

const THREADS = [1, 2]
const PROCESSES = 4
const KEYS = 3

type Command =
  | {
      readonly do: 'claim' | 'join' | 'giveUp' | 'leave'
      readonly who: number
      readonly key: number
    }
  | { readonly do: 'exit'; readonly who: number }

const who = fc.nat({ max: PROCESSES - 1 })
const key = fc.nat({ max: KEYS - 1 })
const act = (name: 'claim' | 'join' | 'giveUp' | 'leave') =>
  fc.record({ do: fc.constant(name), who, key })
const commands = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: act('claim') },
    { weight: 3, arbitrary: act('join') },
    { weight: 1, arbitrary: act('giveUp') },
    { weight: 1, arbitrary: act('leave') },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('exit' as const), who }) },
  ),
  { maxLength: 40 },
)

t.test('after random registrations and ends all threads agree with a list', async (t) => {
  await holdsAsync(t, async (script) => {
    const node = new Simulation(THREADS.length + 1)
    const processes = Array.from({ length: PROCESSES }, (_, i) =>
      node.idle(THREADS[i % THREADS.length] as number),
    )
    node.settle()
    const owners = new Map<number, number>()
    let entries: { readonly who: number; readonly key: number }[] = []
    const settle = async () => {
      // A promise of the registry may have more to say after each round of batches.
      for (let i = 0; i < 4; i++) {
        node.settle()
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    for (const command of script) {
      const process = processes[command.who] as Process
      const { self } = process
      if (!process.alive) continue
      switch (command.do) {
        case 'claim':
          claims.register(self, command.key, command.who).catch(() => {})
          await settle()
          if (!owners.has(command.key)) owners.set(command.key, command.who)
          break
        case 'giveUp':
          claims.unregister(self, command.key)
          if (owners.get(command.key) === command.who) owners.delete(command.key)
          break
        case 'join':
          quiet.register(self, command.key, command.who)
          entries.push(command)
          break
        case 'leave':
          quiet.unregister(self, command.key)
          entries = entries.filter((e) => e.who !== command.who || e.key !== command.key)
          break
        case 'exit':
          process.scheduler.exit(process, 'killed')
          for (const [key, owner] of owners) if (owner === command.who) owners.delete(key)
          entries = entries.filter((e) => e.who !== command.who)
      }
      await settle()
    }
    for (const id of [0, ...THREADS]) {
      const asker = node.idle(id)
      node.settle()
      for (let key = 0; key < KEYS; key++) {
        const owner = owners.get(key)
        const found = await during(node, claims.lookup(asker.self, key))
        if (found?.pid !== processes[owner ?? -1]?.pid || found?.value !== owner) return false
        const joined = await during(node, quiet.lookup(asker.self, key))
        const expected = entries.filter((e) => e.key === key).map((e) => e.who)
        if (`${joined.map((e) => e.value).sort()}` !== `${expected.sort()}`) return false
      }
      if ((await during(node, claims.count(asker.self))) !== owners.size) return false
      if ((await during(node, quiet.count(asker.self))) !== entries.length) return false
    }
    return true
  })
})

/** Waits for a promise while batches are delivered. */
async function during<R>(node: Simulation, promise: Promise<R>): Promise<R> {
  let done = false
  const result = promise.finally(() => {
    done = true
  })
  while (!done) {
    node.settle()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return result
}

async function holdsAsync(
  t: Parameters<typeof holds>[0],
  check: (script: Command[]) => Promise<boolean>,
): Promise<void> {
  const outcome = await fc.check(fc.asyncProperty(commands, check), { numRuns: 60 })
  t.ok(!outcome.failed, fc.defaultReportMessage(outcome) ?? 'the property holds')
}

t.test('a death costs the number of its own keys, not the size of a bucket', async (t) => {
  const MEMBERS = 10_000
  const table = new DuplicateTable<undefined>()
  const members = Array.from({ length: MEMBERS }, (_, id) => ({ id }) as unknown as Process)
  for (const member of members) table.add(member, 'everybody', undefined)
  table.add(members[5_000] as Process, 'few', undefined)
  let steps = 0
  const real = {
    delete: Set.prototype.delete,
    iterator: Set.prototype[Symbol.iterator],
    filter: Array.prototype.filter,
  }
  // Every way the table has to look at a bucket is counted.
  Set.prototype.delete = function (this: Set<unknown>, value: unknown) {
    steps++
    return real.delete.call(this, value)
  }
  Set.prototype[Symbol.iterator] = function (this: Set<unknown>) {
    steps += this.size
    return real.iterator.call(this)
  } as typeof real.iterator
  Array.prototype.filter = function (this: unknown[], ...args: [never]) {
    steps += this.length
    return real.filter.apply(this, args)
  } as typeof real.filter
  try {
    table.forget(members[5_000] as Process)
  } finally {
    Set.prototype.delete = real.delete
    Set.prototype[Symbol.iterator] = real.iterator
    Array.prototype.filter = real.filter
  }
  t.equal(steps, 2, 'two keys, two steps')
  t.equal(table.size, MEMBERS - 1)
})

t.test('one that is in no registry costs nothing when it ends', async (t) => {
  const node = new Simulation(2)
  const process = node.idle(1)
  const { registries } = node.scheduler(1)
  quiet.register(node.idle(1).self, 'k')
  registries.forget(process)
  t.equal(registries.entries, 1)
})
