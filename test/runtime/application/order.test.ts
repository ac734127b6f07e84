// The pure part: in which order applications start, and what the end of one means.
import type { Application, ApplicationType, ExitReason } from 'beamish'
import fc from 'fast-check'
import t from 'tap'
import { endsNode, inOrder, startOrder } from '../../../runtime/application/order.ts'
import { holds } from '../../channels/property.ts'

const bare = (application: string, applications: Application[] = []): Application => ({
  application,
  type: 'permanent',
  applications,
  supervisor: { strategy: 'one_for_one', children: [], maxRestarts: 3, maxSeconds: 5 },
  callbacks: [],
  startPhases: [],
})

/** Applications of which each may need some of those made before it; the last one needs all that nobody else does. */
const graphs = fc
  .array(fc.array(fc.nat(20), { maxLength: 5 }), { minLength: 1, maxLength: 12 })
  .map((needs) => {
    const made: Application[] = []
    for (const [i, ids] of needs.entries()) {
      made.push(
        bare(`app ${i}`, made.length === 0 ? [] : ids.map((id) => made[id % i] as Application)),
      )
    }
    const needed = new Set(made.flatMap(({ applications }) => applications))
    return bare(
      'all',
      made.filter((one) => !needed.has(one)),
    )
  })

t.test('each stands once, after all it needs', (t) => {
  holds(
    t,
    fc.property(graphs, (first) => {
      const order = startOrder(first)
      const at = new Map(order.map((one, i) => [one, i]))
      return (
        order.at(-1) === first &&
        at.size === order.length &&
        order.every((one, i) => one.applications.every((needed) => (at.get(needed) ?? i) < i))
      )
    }),
  )
  t.end()
})

t.test('a circle is an error that shows it', (t) => {
  const inner: Application[] = []
  const b = bare('b', inner)
  const a = bare('a', [bare('x'), b])
  inner.push(bare('c', [a]))
  const message = /in a circle: a -> b -> c -> a: take/
  t.throws(() => startOrder(bare('all', [a])), { code: 'BEAMISH_APPLICATION_CYCLE', message })
  t.end()
})

t.test('another one of the same name is an error, the same one again is none', (t) => {
  const b = bare('b')
  t.equal(startOrder(bare('a', [b, bare('c', [b]), b])).length, 3)
  t.throws(() => startOrder(bare('a', [b, bare('c', [{ ...b }])])), {
    code: 'BEAMISH_APPLICATION_DUPLICATE',
    message: /two applications are named "b"/,
  })
  t.end()
})

t.test('what the end of one means is its type and the reason', (t) => {
  const table: [ApplicationType, ExitReason, boolean][] = [
    ['permanent', 'normal', true],
    ['permanent', 'shutdown', true],
    ['permanent', 'boom', true],
    ['transient', 'normal', false],
    ['transient', 'shutdown', true],
    ['transient', { shutdown: 'done' }, true],
    ['temporary', 'normal', false],
    ['temporary', 'killed', false],
  ]
  for (const [type, reason, ends] of table)
    t.equal(endsNode(type, reason), ends, `${type} ${reason}`)
  t.end()
})

t.test('a visit begins once those before it are through, and waits for no other', async (t) => {
  const gates = new Map<string, () => void>()
  const begun: string[] = []
  const needs: Record<string, string[]> = { a: [], b: ['a'], c: ['a', 'b'], alone: [] }
  const all = inOrder(
    ['c', 'b', 'alone', 'a'],
    (node) => needs[node] as string[],
    (node) => {
      begun.push(node)
      return new Promise<void>((resolve) => gates.set(node, resolve))
    },
  )
  const open = async (node: string) => {
    gates.get(node)?.()
    await new Promise((resolve) => setImmediate(resolve))
    return [...begun]
  }
  t.same((await open('nobody')).toSorted(), ['a', 'alone'])
  t.same((await open('a')).slice(2), ['b'])
  t.same((await open('b')).slice(2), ['b', 'c'])
  await open('c')
  await open('alone')
  await all
})
