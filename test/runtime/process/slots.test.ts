import fc from 'fast-check'
import t from 'tap'
import { generationOf, NO_PID, type Pid, slotOf } from '../../../runtime/process/pid.ts'
import { Slots } from '../../../runtime/process/slots.ts'
import { holds } from '../../channels/property.ts'

const occupy = (slots: Slots<{ pid: Pid }>): Pid => {
  const pid = slots.reserve()
  if (pid !== NO_PID) slots.put({ pid })
  return pid
}

t.test('a pid of a past occupant finds nobody, not its successor', async (t) => {
  const slots = new Slots<{ pid: Pid }>(3)
  const first = occupy(slots)
  slots.remove(first)
  const second = occupy(slots)
  t.equal(slotOf(second), slotOf(first), 'the slot is used again')
  t.equal(generationOf(second), generationOf(first) + 1)
  t.equal(slots.get(first), undefined)
  t.equal(slots.get(second)?.pid, second)
  slots.remove(first)
  t.equal(slots.get(second)?.pid, second, 'removing a past occupant removes nobody')
  t.equal(slots.size, 1)
})

t.test('a full table answers NO_PID until somebody leaves', async (t) => {
  const slots = new Slots<{ pid: Pid }>(1, { maxSlots: 2 })
  const a = occupy(slots)
  occupy(slots)
  t.equal(occupy(slots), NO_PID)
  t.equal(slots.size, 2)
  slots.remove(a)
  t.not(occupy(slots), NO_PID)
})

t.test(
  'a spent slot is retired; only when all are does the table wrap, oldest first, counted',
  async (t) => {
    const slots = new Slots<{ pid: Pid }>(1, { maxSlots: 2, maxGeneration: 2 })
    const seen: string[] = []
    const live = (): void => {
      const pid = occupy(slots)
      seen.push(`${slotOf(pid)}.${generationOf(pid)}`)
      slots.remove(pid)
    }
    for (let i = 0; i < 4; i++) live()
    t.strictSame(seen, ['0.1', '0.2', '1.1', '1.2'], 'each slot until its generations are used up')
    t.equal(slots.wraps, 0)
    live()
    t.equal(seen[4], '0.1', 'then the one retired longest ago')
    t.equal(slots.wraps, 1)
  },
)

t.test(
  'whatever comes and goes: lookups agree with a map, no pid is given twice before a wrap',
  async (t) => {
    const limits = fc.record({
      maxSlots: fc.integer({ min: 1, max: 5 }),
      maxGeneration: fc.integer({ min: 1, max: 6 }),
    })
    holds(
      t,
      fc.property(
        limits,
        fc.array(fc.option(fc.nat(9)), { maxLength: 120, size: 'max' }),
        (limit, steps) => {
          const slots = new Slots<{ pid: Pid }>(9, limit)
          const live = new Map<Pid, { pid: Pid }>()
          const ever = new Set<Pid>()
          for (const one of steps) {
            if (one === null) {
              const pid = slots.reserve()
              if ((pid === NO_PID) !== (live.size === limit.maxSlots)) return false
              if (pid === NO_PID) continue
              if (live.has(pid) || (slots.wraps === 0 && ever.has(pid))) return false
              ever.add(pid)
              const occupant = { pid }
              slots.put(occupant)
              live.set(pid, occupant)
            } else {
              const pid = [...live.keys()][one % Math.max(1, live.size)]
              if (pid === undefined) continue
              slots.remove(pid)
              live.delete(pid)
            }
            if (slots.size !== live.size) return false
            for (const pid of ever) if (slots.get(pid) !== live.get(pid)) return false
            const listed = new Set([...slots].map((occupant) => occupant.pid))
            if (listed.size !== live.size || ![...listed].every((pid) => live.has(pid)))
              return false
          }
          return true
        },
      ),
      { numRuns: 500 },
    )
  },
)
