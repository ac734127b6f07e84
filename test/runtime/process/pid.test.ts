import fc from 'fast-check'
import t from 'tap'
import {
  formatDestination,
  formatPid,
  generationOf,
  MAX_GENERATION,
  MAX_SCHEDULERS,
  MAX_SLOTS,
  makePid,
  NO_PID,
  RefSource,
  schedulerOf,
  schedulerOfRef,
  slotOf,
} from '../../../runtime/process/pid.ts'
import { holds } from '../../channels/property.ts'

const parts = fc.tuple(
  fc.nat(MAX_SCHEDULERS - 1),
  fc.nat(MAX_SLOTS - 1),
  fc.integer({ min: 1, max: MAX_GENERATION }),
)

t.test('a pid gives back what it was made of, and is a safe integer that clones', async (t) => {
  holds(
    t,
    fc.property(parts, ([scheduler, slot, generation]) => {
      const pid = makePid(scheduler, slot, generation)
      return (
        Number.isSafeInteger(pid) &&
        pid !== NO_PID &&
        schedulerOf(pid) === scheduler &&
        slotOf(pid) === slot &&
        generationOf(pid) === generation
      )
    }),
    {
      numRuns: 2_000,
      examples: [
        [[0, 0, 1]],
        [[MAX_SCHEDULERS - 1, MAX_SLOTS - 1, MAX_GENERATION]],
        [[2_048, 0, 1]],
        [[0, MAX_SLOTS - 1, MAX_GENERATION]],
      ],
    },
  )
})

t.test('different processes have different pids and different texts', async (t) => {
  holds(
    t,
    fc.property(parts, parts, (a, b) => {
      const same = a.join() === b.join()
      const [x, y] = [makePid(...a), makePid(...b)]
      return (x === y) === same && (formatPid(x) === formatPid(y)) === same
    }),
  )
})

t.test(
  'a pid reads <node.scheduler.slot>, with the generation once it is not the first',
  async (t) => {
    t.equal(formatPid(makePid(2, 417, 1)), '<0.2.417>')
    t.equal(formatPid(makePid(2, 417, 3)), '<0.2.417.3>')
    t.equal(formatPid(NO_PID), '<outside>')
    t.equal(formatDestination(makePid(1, 0, 1)), '<0.1.0>')
    t.equal(formatDestination('hits'), '"hits"')
  },
)

t.test('references of one scheduler differ, and say which scheduler made them', async (t) => {
  for (const scheduler of [0, 1, MAX_SCHEDULERS - 1]) {
    const source = new RefSource(scheduler)
    const refs = Array.from({ length: 1_000 }, () => source.next())
    t.equal(new Set(refs).size, refs.length)
    t.ok(refs.every((ref) => schedulerOfRef(ref) === scheduler))
  }
})
