import { supervisor } from 'beamish'
import fc from 'fast-check'
import t from 'tap'
import { restartPlan, STRATEGIES, type Strategy } from '../../../runtime/supervisor/strategy.ts'
import { holds } from '../../channels/property.ts'

interface Kid {
  readonly id: number
  readonly spec: { readonly restart: 'permanent' | 'transient' | 'temporary' }
}

const restart = fc.constantFrom('permanent', 'transient', 'temporary')
const kids = fc
  .array(restart, { minLength: 1, maxLength: 12 })
  .map((restarts) => restarts.map((restart, id): Kid => ({ id, spec: { restart } }) as Kid))
/** A child that is restarted is not temporary. */
const cases = fc
  .tuple(fc.constantFrom(...STRATEGIES), kids, fc.nat())
  .filter(([, children]) => children.some(({ spec }) => spec.restart !== 'temporary'))
  .map(([strategy, children, pick]) => {
    const able = children.filter(({ spec }) => spec.restart !== 'temporary')
    return { strategy, children, failed: able[pick % able.length] as Kid }
  })
const ids = (children: readonly Kid[]): number[] => children.map(({ id }) => id)
const plan = (strategy: Strategy, children: readonly Kid[], failed: Kid) =>
  restartPlan(strategy, children, failed.id)

t.test('otp 125 to 128: who is stopped and started with whom', async (t) => {
  const children: Kid[] = (['permanent', 'temporary', 'transient', 'temporary'] as const).map(
    (restart, id) => ({ id, spec: { restart } }),
  )
  const of = (strategy: Strategy) => {
    const { stop, start } = restartPlan(strategy, children, 2)
    return [ids(stop), ids(start)]
  }
  t.same(of('one_for_one'), [[], [2]])
  t.same(of('one_for_all'), [
    [3, 2, 1, 0],
    [0, 2],
  ])
  t.same(of('rest_for_one'), [[3, 2], [2]])
})

t.test('it is started, in every case; the tied ones as their strategy says', async (t) => {
  const tied = (strategy: Strategy, id: number, failed: number): boolean =>
    id === failed || strategy === 'one_for_all' || (strategy === 'rest_for_one' && id > failed)
  holds(
    t,
    fc.property(cases, ({ strategy, children, failed }) => {
      const { stop, start } = plan(strategy, children, failed)
      for (const { id, spec } of children) {
        const touched = tied(strategy, id, failed.id)
        const begins = touched && spec.restart !== 'temporary'
        if (ids(start).includes(id) !== begins) return false
        if (id !== failed.id && ids(stop).includes(id) !== touched) return false
      }
      return ids(start).includes(failed.id)
    }),
    { numRuns: 2_000 },
  )
})

t.test('it stops in reverse and starts in order, each child once', async (t) => {
  holds(
    t,
    fc.property(cases, ({ strategy, children, failed }) => {
      const { stop, start } = plan(strategy, children, failed)
      const rises = (list: readonly number[]): boolean =>
        list.every((id, i) => i === 0 || id > (list[i - 1] as number))
      return rises(ids(start)) && rises(ids(stop.toReversed()))
    }),
    { numRuns: 2_000 },
  )
})

t.test('a strategy there is none of is refused, naming those there are', async (t) => {
  t.throws(() => supervisor({ strategy: 'all_for_one' as Strategy, children: [] }), {
    code: 'BEAMISH_BAD_OPTION',
    message: /"all_for_one": use one of one_for_one, one_for_all, rest_for_one/,
  })
})

t.test('a plan changes nothing by itself', async (t) => {
  holds(
    t,
    fc.property(cases, ({ strategy, children, failed }) => {
      const before = ids(children)
      plan(strategy, children, failed)
      return JSON.stringify(ids(children)) === JSON.stringify(before)
    }),
  )
})
