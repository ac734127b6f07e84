import fc from 'fast-check'
import t from 'tap'
import { Mailbox } from '../../../runtime/process/mailbox.ts'
import { holds } from '../../channels/property.ts'

type Step =
  | { readonly do: 'push' }
  | { readonly do: 'shift' }
  | { readonly do: 'take'; readonly at: number }
  | { readonly do: 'find'; readonly rest: number; readonly from: number }
  | { readonly do: 'clear' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Step>({ do: 'push' }) },
  { weight: 4, arbitrary: fc.constant<Step>({ do: 'shift' }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const), at: fc.nat(99) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('find' as const), rest: fc.nat(4), from: fc.nat(9) }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'clear' }) },
)

t.test('a mailbox behaves as an array does, whatever is pushed and taken', async (t) => {
  holds(
    t,
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const mailbox = new Mailbox()
      const model: number[] = []
      let next = 0
      for (const one of steps) {
        const takes = mailbox.takes
        switch (one.do) {
          case 'push':
            mailbox.push(next)
            model.push(next++)
            break
          case 'shift':
            if (mailbox.shift() !== model.shift()) return false
            break
          case 'take': {
            if (model.length === 0) break
            const at = one.at % model.length
            if (mailbox.take(at) !== model.splice(at, 1)[0]) return false
            if (mailbox.takes === takes) return false
            break
          }
          case 'find': {
            const match = (m: unknown): boolean => (m as number) % 5 === one.rest
            const expected = model.findIndex((m, i) => i >= one.from && match(m))
            if (mailbox.find(match, one.from) !== expected) return false
            break
          }
          case 'clear':
            mailbox.clear()
            model.length = 0
        }
        if (mailbox.length !== model.length) return false
        if (mailbox.toArray().join() !== model.join()) return false
        if (model.length > 0 && mailbox.at(model.length - 1) !== model.at(-1)) return false
      }
      return true
    }),
    { numRuns: 500 },
  )
})

t.test('a long mailbox keeps its order through growth, and empties in linear time', async (t) => {
  const mailbox = new Mailbox()
  const count = 200_000
  for (let i = 0; i < count; i++) mailbox.push(i)
  t.equal(mailbox.length, count)
  t.equal(mailbox.take(count - 1), count - 1, 'the youngest can be taken')
  let inOrder = true
  for (let i = 0; i < count - 1; i++) inOrder &&= mailbox.shift() === i
  t.ok(inOrder)
  t.equal(mailbox.length, 0)
  t.equal(mailbox.shift(), undefined)
  mailbox.push('again')
  t.strictSame(mailbox.toArray(), ['again'], 'it works on after a burst')
})

t.test('undefined is a message like any other', async (t) => {
  const mailbox = new Mailbox()
  mailbox.push(undefined)
  t.equal(mailbox.length, 1)
  t.equal(
    mailbox.find((m) => m === undefined),
    0,
  )
  t.equal(mailbox.take(0), undefined)
  t.equal(mailbox.length, 0)
})

t.test(
  'a mailbox that was high is so until fewer than half are left, whatever is taken',
  async (t) => {
    holds(
      t,
      fc.property(fc.nat(40), fc.array(fc.nat(2), { maxLength: 300 }), (high, steps) => {
        const highWater = high + 1
        const mailbox = new Mailbox()
        mailbox.watch(highWater)
        let isHigh = false
        for (const [i, step] of steps.entries()) {
          if (step < 2) {
            // What deliver() does.
            if (mailbox.length >= mailbox.mark && !mailbox.isHigh) mailbox.raise(1_000)
            isHigh ||= mailbox.length >= highWater
            mailbox.push(i)
          } else {
            if (i % 2 === 0 || mailbox.length === 0) mailbox.shift()
            else mailbox.take(i % mailbox.length)
            isHigh &&= mailbox.length > highWater >> 1
          }
          if (mailbox.isHigh !== isHigh) return false
          if (mailbox.mark !== (isHigh ? 1_000 : highWater)) return false
        }
        mailbox.clear()
        return !mailbox.isHigh
      }),
    )
  },
)

t.test('it counts what was taken, through growth, bursts and clearing', async (t) => {
  holds(
    t,
    fc.property(
      fc.array(
        fc.oneof(
          fc.record({ do: fc.constant('push' as const), n: fc.integer({ min: 1, max: 1_500 }) }),
          fc.record({ do: fc.constant('shift' as const), n: fc.integer({ min: 1, max: 1_500 }) }),
          fc.record({ do: fc.constant('take' as const), n: fc.nat(20) }),
          fc.record({ do: fc.constant('clear' as const), n: fc.constant(0) }),
        ),
        { maxLength: 12 },
      ),
      (steps) => {
        const mailbox = new Mailbox()
        let waiting: number[] = []
        let taken = 0
        let next = 0
        for (const step of steps) {
          if (step.do === 'clear') {
            mailbox.clear()
            waiting = []
          }
          for (let i = 0; step.do === 'push' && i < step.n; i++) {
            mailbox.push(next)
            waiting.push(next++)
          }
          for (let i = 0; step.do === 'shift' && i < step.n && waiting.length > 0; i++, taken++) {
            if (mailbox.shift() !== waiting.shift()) return false
          }
          if (step.do === 'take' && step.n < waiting.length) {
            if (mailbox.take(step.n) !== waiting.splice(step.n, 1)[0]) return false
            taken++
          }
          if (mailbox.taken !== taken || mailbox.length !== waiting.length) return false
        }
        return String(mailbox.toArray()) === String(waiting)
      },
    ),
  )
})
