import fc from 'fast-check'
import t from 'tap'
import { type LostCause, reasonOf } from '../../../runtime/exit/reason.ts'
import { callFailed } from '../../../runtime/scheduler/calls.ts'
import { Losses, lossOf } from '../../../runtime/supervisor/losses.ts'
import { holds } from '../../channels/property.ts'

const lost = (scheduler: number, cause: LostCause = 'exit') => ({
  noconnection: { scheduler, cause },
})
const counted = (reasons: readonly unknown[]): boolean[] => {
  const losses = new Losses()
  return reasons.map((reason) => losses.counts(reason))
}

t.test(
  'all ends by one lost thread are one loss; other ends and other threads are news',
  async (t) => {
    t.same(counted([lost(1), lost(1), 'boom', lost(1), lost(2), lost(2), { error: {} }]), [
      true,
      false,
      true,
      false,
      true,
      false,
      true,
    ])
  },
)

t.test('threads lost at the same time count once each, in whatever order', async (t) => {
  t.same(counted([lost(2), lost(3), lost(2), lost(3)]), [true, true, false, false])
  const ends = fc.array(fc.integer({ min: 1, max: 256 }), { maxLength: 600 })
  holds(
    t,
    fc.property(ends, (threads) => {
      const seen = new Set<number>()
      const first = threads.map((id) => !seen.has(id) && seen.add(id) !== undefined)
      const got = counted(threads.map((id) => lost(id)))
      return got.every((counts, i) => counts === first[i])
    }),
    { numRuns: 300 },
  )
})

t.test('a planned end of a thread never counts', async (t) => {
  t.same(counted([lost(1, 'stopped'), lost(1, 'stopped'), 'boom']), [false, false, true])
})

t.test('a failed call or start is the loss that failed it', async (t) => {
  const call = reasonOf(callFailed('server', 'question', lost(4)))
  const start = { shutdown: { failedToStartChild: 'a', reason: call } }
  t.same(lossOf(call), { scheduler: 4, cause: 'exit' })
  t.same(lossOf(start), { scheduler: 4, cause: 'exit' })
  t.same(counted([lost(4), call, start]), [true, false, false])
})

t.test('whatever a user exits with is looked at safely', async (t) => {
  for (const reason of [
    null,
    undefined,
    0,
    'noconnection',
    { noconnection: null },
    { noconnection: {} },
    { shutdown: null },
    { call: {}, reason: 'noproc' },
    { reason: lost(1) },
  ]) {
    t.equal(lossOf(reason), undefined, JSON.stringify(reason))
  }
  const endless: Record<string, unknown> = {}
  endless.shutdown = endless
  t.equal(lossOf(endless), undefined)
  holds(
    t,
    fc.property(fc.anything(), (reason) => typeof new Losses().counts(reason) === 'boolean'),
  )
})
