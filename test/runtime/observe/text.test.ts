// Texts of values that belong to others: bounded, and made without running their code.
import fc from 'fast-check'
import t from 'tap'
import { textOf } from '../../../runtime/observe/text.ts'
import { holds } from '../../channels/property.ts'

t.test('a value reads as it is written', async (t) => {
  const value = { a: 1, 'b c': ['x', null, undefined, 2n], d: new Map([['k', new Set([true])]]) }
  t.equal(
    textOf(value, 1_000),
    '{a: 1, "b c": ["x", null, undefined, 2n], d: Map{"k" => Set{true}}}',
  )
  t.equal(textOf(new Date(0), 100), '1970-01-01T00:00:00.000Z')
  t.equal(textOf(new Uint8Array(5_000), 100), '[5000 elements]')
  t.equal(textOf(new Error('boom'), 100), 'Error "boom"')
  t.equal(textOf(Symbol('s'), 100), 'Symbol(s)')
})

t.test('none of its code is called', async (t) => {
  const called: string[] = []
  const note = (what: string) => (): never => {
    called.push(what)
    throw new Error(what)
  }
  class Trap {
    get accessor(): never {
      return note('prototype accessor')()
    }
    toJSON = note('toJSON')
    toString = note('toString');
    [Symbol.toPrimitive] = note('toPrimitive')
  }
  const own = Object.defineProperty({}, 'x', { get: note('accessor'), enumerable: true })
  const proxy = new Proxy({}, { ownKeys: note('ownKeys'), get: note('get') })
  const date = Object.assign(new Date(0), { toISOString: note('toISOString') })
  const map = Object.assign(new Map(), {
    entries: note('entries'),
    [Symbol.iterator]: note('iterator'),
  })
  const all = [new Trap(), own, proxy, date, map]
  t.equal(textOf(all, 1_000).includes('[proxy]'), true)
  t.same(called, [])
})

t.test('what has no end, or is deep or large, is cut', async (t) => {
  const ring: { next?: unknown } = {}
  ring.next = ring
  t.equal(textOf(ring, 100), '{next: [above]}')
  let deep: unknown = 0
  for (let i = 0; i < 100_000; i++) deep = [deep]
  t.match(textOf(deep, 100), /^\[+…\]+$/)
  const large = Array.from({ length: 1_000_000 }, (_, i) => ({ i }))
  const began = performance.now()
  t.equal(textOf(large, 50).length, 51)
  t.equal(textOf('x'.repeat(10_000_000), 50).length, 51)
  t.ok(performance.now() - began < 500, 'it is not read to its end')
})

t.test('any value gives a text of at most that length', async (t) => {
  holds(
    t,
    fc.property(
      fc.anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withTypedArray: true,
        withNullPrototype: true,
        withSparseArray: true,
      }),
      fc.nat(300),
      (value, max) => {
        const text = textOf(value, max)
        return text.length <= max + 1 && text !== '[unreadable]'
      },
    ),
  )
})
