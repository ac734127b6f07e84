import fc from 'fast-check'
import t from 'tap'
import { MAX_SCHEDULERS, type Ref } from '../../../runtime/process/pid.ts'
import { RefTable } from '../../../runtime/scheduler/refTable.ts'
import { holds } from '../../channels/property.ts'

/** References whose low bits meet, and some that do not. */
const ref = fc
  .tuple(fc.nat(5), fc.nat(3))
  .map(([low, high]) => ((high * 2 ** 40 + low) * MAX_SCHEDULERS + 7) as Ref)

t.test(
  'an entry is found by its reference, also where the place of its low bits is taken',
  async (t) => {
    holds(
      t,
      fc.property(fc.array(fc.tuple(fc.boolean(), ref), { maxLength: 60 }), (steps) => {
        const [table, model] = [new RefTable<{ ref: Ref }>(), new Map<Ref, { ref: Ref }>()]
        for (const [adds, one] of steps) {
          if (adds && !model.has(one)) {
            const entry = { ref: one }
            table.add(entry)
            model.set(one, entry)
          } else if (!adds) {
            table.delete(one)
            model.delete(one)
          }
          for (const [, other] of steps) if (table.get(other) !== model.get(other)) return false
        }
        return true
      }),
    )
  },
)
