import fc from 'fast-check'
import t from 'tap'
import { isDeeperThan } from '../../../channels/wire/depth.ts'
import { holds } from '../property.ts'

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
    : 0

t.test('the depth seen in the text is the depth of the value', async (t) => {
  const tricky = fc.string({ unit: fc.constantFrom('[', ']', '{', '}', '"', '\\', 'a') })
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 8 },
      tricky,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(tricky, tie('tree'), { maxKeys: 3 }),
    ),
  }))
  holds(
    t,
    fc.property(tree, fc.nat(9), fc.boolean(), (value, limit, pretty) => {
      const text = JSON.stringify(value, null, pretty ? 2 : 0)
      return isDeeperThan(text, limit) === depthOf(value) > limit
    }),
    { numRuns: 2_000 },
  )
})

t.test('text that never closes its strings ends the scan', async (t) => {
  t.equal(isDeeperThan(`"${'\\"'.repeat(100)}`, 1), false)
  t.equal(isDeeperThan(`"${'\\'.repeat(101)}"[[[`, 1), false)
  t.equal(isDeeperThan(`"${'\\'.repeat(100)}"[[[`, 1), true)
})
