// The wheel that finds who is idle, without a timer or a note per message.
import t from 'tap'
import { IdleWheel, SPOKES } from '../../../runtime/hibernation/idleWheel.ts'

const round = <T>(wheel: IdleWheel<T>, look: (item: T, mark: number) => number | undefined) => {
  for (let i = 0; i < SPOKES; i++) wheel.turn(look)
}

t.test('every item is looked at once per round, with the mark of the look before', async (t) => {
  const wheel = new IdleWheel<string>()
  for (const [i, item] of ['a', 'b', 'c'].entries()) {
    wheel.add(item, i)
    wheel.turn(() => t.fail('nobody is due yet') as never)
  }
  for (let mark = 0; mark < 5; mark++) {
    const seen: [string, number][] = []
    round(wheel, (item, at) => {
      seen.push([item, at])
      return at + 10
    })
    t.same(seen.sort(), [
      ['a', 10 * mark],
      ['b', 10 * mark + 1],
      ['c', 10 * mark + 2],
    ])
  }
})

t.test('an item leaves by the answer undefined, or by remove', async (t) => {
  const wheel = new IdleWheel<string>()
  for (const item of ['a', 'b', 'c']) wheel.add(item, 0)
  wheel.add('a', 0)
  t.equal(wheel.size, 3, 'added twice it is there once')
  round(wheel, (item, mark) => (item === 'a' ? undefined : mark))
  t.equal(wheel.size, 2)
  wheel.remove('b')
  wheel.remove('b')
  wheel.remove('nobody')
  t.equal(wheel.size, 1)
  const left: string[] = []
  round(wheel, (item) => {
    left.push(item)
    return undefined
  })
  t.same(left, ['c'])
  t.equal(wheel.size, 0)
})
