// Batches: bounded, in order, and each right by itself although joins count before leaves.
import type { Pid } from 'beamish'
import fc from 'fast-check'
import t from 'tap'
import type { Entry } from '../../../channels/presence/orswot.ts'
import { joinsOf, leavesOf, Pending } from '../../../channels/presence/pending.ts'
import { holds } from '../property.ts'

const entry = (topic: string, clock: number): Entry<null> => ({
  topic,
  pid: 1 as Pid,
  key: `${clock}`,
  meta: null,
  replica: 1,
  clock,
})

t.test('diffs of any size, joins before leaves, come to what the changes come to', async (t) => {
  const toggle = fc.record({
    topic: fc.constantFrom('a', 'b'),
    clock: fc.integer({ min: 1, max: 3 }),
  })
  const property = fc.property(
    fc.array(toggle, { maxLength: 40 }),
    fc.integer({ min: 1, max: 6 }),
    (toggles, max) => {
      const pending = new Pending<null>()
      const there = new Set<string>()
      for (const { topic, clock } of toggles) {
        const id = `${topic} ${clock}`
        // It leaves and is back under the same dot, as those of a replica that was down.
        if (there.delete(id)) pending.add({ leave: entry(topic, clock) })
        else {
          there.add(id)
          pending.add({ join: entry(topic, clock) })
        }
      }
      const told = new Set<string>()
      while (!pending.isEmpty) {
        let size = 0
        for (const [topic, changes] of pending.take(max)) {
          size += changes.length
          for (const { clock } of joinsOf(changes)) told.add(`${topic} ${clock}`)
          for (const { clock } of leavesOf(changes)) told.delete(`${topic} ${clock}`)
        }
        if (size === 0 || size > max) return false
      }
      return [...told].sort().join() === [...there].sort().join()
    },
  )
  holds(t, property, { numRuns: 500 })
})

t.test('who begins anew hears of a join before its leave', async (t) => {
  const pending = new Pending<null>()
  pending.addAsNew(entry('a', 1))
  const changes = pending.takeOf('a', 10)
  t.same([joinsOf(changes).length, leavesOf(changes).length, pending.isEmpty], [1, 1, true])
})
