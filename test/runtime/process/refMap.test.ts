import fc from 'fast-check'
import t from 'tap'
import { RefMap } from '../../../runtime/process/refMap.ts'
import { holds } from '../../channels/property.ts'

type Step =
  | { readonly do: 'set'; readonly key: number; readonly value: number }
  | { readonly do: 'delete'; readonly key: number }

const key = fc.nat(24).map((n) => n * 2 ** 32 + 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('set' as const), key, value: fc.nat(9) }),
  fc.record({ do: fc.constant('delete' as const), key }),
)

t.test('it answers as a Map does, few entries or many, in the order of insertion', async (t) => {
  holds(
    t,
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const [map, model] = [new RefMap<number, number>(), new Map<number, number>()]
      for (const one of steps) {
        if (one.do === 'set') {
          map.set(one.key, one.value)
          model.set(one.key, one.value)
        } else if (map.delete(one.key) !== model.delete(one.key)) return false
        if (map.get(one.key) !== model.get(one.key)) return false
        if (map.has(one.key) !== model.has(one.key) || map.size !== model.size) return false
      }
      const entries = JSON.stringify([...map])
      return (
        entries === JSON.stringify([...model]) &&
        JSON.stringify([map.keys(), map.values()]) ===
          JSON.stringify([[...model.keys()], [...model.values()]])
      )
    }),
  )
})

t.test('entries deleted while it is gone through are passed over, as in a Map', async (t) => {
  holds(
    t,
    fc.property(
      fc.uniqueArray(key, { minLength: 1, maxLength: 20 }),
      fc.array(fc.record({ at: key, deletes: fc.array(key, { maxLength: 4 }) })),
      (keys, plans) => {
        const through = (map: RefMap<number, true> | Map<number, true>): number[] => {
          for (const one of keys) map.set(one, true)
          const seen: number[] = []
          for (const [one] of map) {
            seen.push(one)
            for (const { at, deletes } of plans) {
              if (at === one) for (const other of deletes) map.delete(other)
            }
          }
          return seen
        }
        return JSON.stringify(through(new RefMap())) === JSON.stringify(through(new Map()))
      },
    ),
  )
})
