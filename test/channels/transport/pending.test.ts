import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { PendingQueue } from '../../../channels/transport/pending.ts'
import { holds } from '../property.ts'

const drained = <Item>(queue: PendingQueue<Item>): Item[] => {
  const items: Item[] = []
  queue.drain((item) => items.push(item))
  return items
}

t.test('it agrees with a plain array under any sequence of operations', async (t) => {
  const operation = fc.oneof(
    { weight: 8, arbitrary: fc.record({ push: fc.nat(40) }) },
    { weight: 1, arbitrary: fc.constant('drain' as const) },
    { weight: 1, arbitrary: fc.constant('clear' as const) },
  )
  holds(
    t,
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const queue = new PendingQueue<number>({ maxItems: 5, maxBytes: 100 })
      let model: { item: number; bytes: number }[] = []
      const count = { accepted: 0, refused: 0, cleared: 0 }
      const weight = () => model.reduce((sum, { bytes }) => sum + bytes, 0)
      for (const [item, operation] of operations.entries()) {
        if (operation === 'drain') {
          assert.deepEqual(
            drained(queue),
            model.map(({ item }) => item),
          )
          model = []
        } else if (operation === 'clear') {
          assert.equal(queue.clear(), model.length)
          count.cleared += model.length
          model = []
        } else {
          const bytes = operation.push
          const fits = model.length < 5 && weight() + bytes <= 100
          assert.equal(queue.push(item, bytes), fits)
          if (fits) model.push({ item, bytes })
          count[fits ? 'accepted' : 'refused']++
        }
        assert.deepEqual(queue.counters, { items: model.length, bytes: weight(), ...count })
      }
    }),
  )
})

t.test('both limits may be reached and not passed', async (t) => {
  const queue = new PendingQueue<string>({ maxItems: 2, maxBytes: 10 })
  t.notOk(queue.push('larger than the queue', 11))
  t.ok(queue.push('a', 10))
  t.notOk(queue.push('b', 1))
  t.ok(queue.push('weightless', 0))
  t.notOk(queue.push('a third', 0))
  t.strictSame(drained(queue), ['a', 'weightless'])
})

t.test('what is pushed while draining is delivered last, in the same drain', async (t) => {
  const queue = new PendingQueue<string>()
  queue.push('a', 1)
  queue.push('b', 1)
  const seen: string[] = []
  queue.drain((item) => {
    seen.push(item)
    if (item === 'a') queue.push('c', 1)
    if (item === 'b') queue.drain((inner) => seen.push(`inner ${inner}`))
  })
  t.strictSame(seen, ['a', 'b', 'inner c'])
  t.match(queue.counters, { items: 0, bytes: 0, accepted: 3 })
})

t.test('an item whose delivery throws is gone, the rest waits in order', async (t) => {
  const queue = new PendingQueue<string>()
  for (const item of ['a', 'b', 'c']) queue.push(item, 10)
  t.throws(
    () =>
      queue.drain((item) => {
        if (item === 'b') throw new Error('boom')
      }),
    { message: 'boom' },
  )
  t.match(queue.counters, { items: 1, bytes: 10 })
  queue.push('d', 10)
  t.strictSame(drained(queue), ['c', 'd'])
})

t.test('a clear from within a drain ends it', async (t) => {
  const queue = new PendingQueue<number>()
  for (const item of [1, 2, 3]) queue.push(item, 1)
  const seen: number[] = []
  queue.drain((item) => {
    seen.push(item)
    queue.clear()
  })
  t.strictSame(seen, [1])
  t.match(queue.counters, { items: 0, bytes: 0, cleared: 2 })
})

t.test('weights and limits that are no numbers from 0 up are errors', async (t) => {
  const queue = new PendingQueue<number>()
  t.throws(() => queue.push(1, -1), { code: 'CHN_PENDING' })
  t.throws(() => queue.push(1, Number.NaN), { code: 'CHN_PENDING' })
  t.throws(() => new PendingQueue({ maxItems: -1 }), { code: 'CHN_PENDING' })
  t.throws(() => new PendingQueue({ maxBytes: Number.NaN }), { code: 'CHN_PENDING' })
})
