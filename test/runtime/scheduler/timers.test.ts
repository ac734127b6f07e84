import fc from 'fast-check'
import t from 'tap'
import { type TimerEntry, TimerQueue } from '../../../runtime/scheduler/timers.ts'
import { holds } from '../../channels/property.ts'

type Step =
  | { readonly do: 'add'; readonly delayMs: number }
  | { readonly do: 'remove'; readonly at: number }
  | { readonly do: 'expire'; readonly byMs: number; readonly max: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  // Few delays, so that lists grow; some rare ones, so that the heap does.
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      delayMs: fc.oneof(fc.constantFrom(0, 1, 5, 50), fc.nat(200)),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), at: fc.nat(99) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('expire' as const),
      byMs: fc.nat(60),
      max: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(4)),
    }),
  },
)

interface Armed {
  readonly id: number
  readonly deadline: number
  readonly delayMs: number
  readonly entry: TimerEntry
}

t.test('timers fire as from a sorted list: what is due, earliest first, never twice', async (t) => {
  holds(
    t,
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const queue = new TimerQueue()
      let model: Armed[] = []
      let past: Armed[] = []
      const fired: number[] = []
      let now = 0
      let ids = 0
      for (const one of steps) {
        if (one.do === 'add') {
          const id = ids++
          const entry = queue.add(now, one.delayMs, () => fired.push(id))
          model.push({ id, deadline: now + one.delayMs, delayMs: one.delayMs, entry })
        } else if (one.do === 'remove') {
          const all = [...model, ...past]
          const victim = all[one.at % Math.max(1, all.length)]
          if (victim === undefined) continue
          const live = model.includes(victim)
          if (queue.remove(victim.entry) !== live) return false
          model = model.filter((timer) => timer !== victim)
          if (live) past.push(victim)
        } else {
          now += one.byMs
          fired.length = 0
          const due = model.filter((timer) => timer.deadline <= now)
          const count = Math.min(one.max, due.length)
          if (queue.expire(now, one.max) !== count || fired.length !== count) return false
          const done = fired.map((id) => due.find((timer) => timer.id === id))
          for (const [i, timer] of done.entries()) {
            if (timer === undefined) return false
            const before = done[i - 1]
            if (before === undefined) continue
            if (before.deadline > timer.deadline) return false
            if (before.delayMs === timer.delayMs && before.id > timer.id) return false
          }
          const left = due.filter((timer) => !fired.includes(timer.id))
          const last = done.at(-1)
          if (last !== undefined && left.some((timer) => timer.deadline < last.deadline))
            return false
          past = [...past, ...due.filter((timer) => fired.includes(timer.id))]
          model = model.filter((timer) => !fired.includes(timer.id))
        }
        if (queue.size !== model.length) return false
        const next = model.length === 0 ? undefined : Math.min(...model.map((m) => m.deadline))
        if (queue.nextDeadline() !== next) return false
      }
      return true
    }),
    { numRuns: 1_000 },
  )
})

t.test('a timer may set and cancel others while it fires', async (t) => {
  const queue = new TimerQueue()
  const log: string[] = []
  queue.add(0, 10, () => {
    log.push('first')
    queue.remove(second)
    queue.add(10, 0, () => log.push('set while firing'))
  })
  const second = queue.add(0, 10, () => log.push('second'))
  queue.add(0, 12, () => log.push('later'))
  t.equal(queue.expire(11), 2)
  t.strictSame(log, ['first', 'set while firing'])
  t.equal(queue.expire(12), 1)
  t.equal(queue.size, 0)
  t.equal(queue.nextDeadline(), undefined)
})
