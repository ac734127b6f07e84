import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Admission } from '../../../channels/endpoint/admission.ts'
import type { UpgradeLimits } from '../../../channels/transport/limits.ts'
import { holds } from '../property.ts'

const limits: fc.Arbitrary<UpgradeLimits> = fc
  .record({
    maxUpgradesPerSecond: fc.integer({ min: 1, max: 1_000 }),
    maxUpgradeBurst: fc.integer({ min: 1, max: 5 }),
    /** As many as can be let in within the wait, more or less. */
    room: fc.double({ min: 0.5, max: 12, noNaN: true }),
  })
  .map(({ room, ...rates }) => ({
    ...rates,
    maxUpgradeWaitMs: Math.ceil((room * 1_000) / rates.maxUpgradesPerSecond),
  }))

const client = fc.constantFrom('a', 'a', 'a', 'b', 'c', 'd')

/**
 * One arrives, one that waits leaves (the n-th), or time passes, in tokens, and whoever is due is dealt with at once or with
 * the next.
 */
const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ client }) },
  { weight: 1, arbitrary: fc.record({ leave: fc.nat(12) }) },
  {
    weight: 3,
    arbitrary: fc.record({ pass: fc.double({ min: 0, max: 4, noNaN: true }), ticks: fc.boolean() }),
  },
  { weight: 10, arbitrary: fc.constant('wait for the next' as const) },
)

interface Waiting {
  readonly item: number
  readonly client: string
  readonly arrivedMs: number
}

/** A share of a token that adding up fractions may be off. */
const ROUNDING = 1e-6

t.test('clients take turns, at the pace, within the bounds, each item with one fate', async (t) => {
  const property = fc.property(
    limits,
    fc.array(step, { size: 'max', maxLength: 150 }),
    (limits, steps) => {
      let nowMs = 1_000
      const admission = new Admission<number>(limits, nowMs)
      const admittedMs: number[] = []
      /** Who waits, oldest first. */
      const line: Waiting[] = []
      /** How many may be admitted before each client that waits has its turn. */
      const turnWithin = new Map<string, number>()
      const of = (client: string): Waiting[] => line.filter((one) => one.client === client)
      const clients = (): number => new Set(line.map(({ client }) => client)).size
      const most = (): number => Math.max(0, ...line.map(({ client }) => of(client).length))
      const gone = (one: Waiting): void => {
        line.splice(line.indexOf(one), 1)
        if (of(one.client).length === 0) turnWithin.delete(one.client)
      }
      const due = (): void => {
        let late = 0
        admission.due(
          nowMs,
          (item) => {
            assert.equal(late, 0, 'nobody is admitted after one was refused for waiting too long')
            const one = line.find((one) => one.item === item)
            assert.ok(one !== undefined)
            assert.equal(one, of(one.client)[0], 'first come, first served within a client')
            gone(one)
            for (const [client, within] of turnWithin) {
              if (client !== one.client)
                assert.ok(within > 1, `the turn of ${client} does not come`)
              turnWithin.set(client, within - 1)
            }
            if (turnWithin.has(one.client)) turnWithin.set(one.client, clients())
            admittedMs.push(nowMs)
          },
          (item) => {
            late++
            const one = line[0]
            assert.equal(item, one?.item)
            assert.ok(one !== undefined && nowMs - one.arrivedMs >= limits.maxUpgradeWaitMs)
            gone(one)
          },
        )
        const oldest = line[0]
        assert.ok(oldest === undefined || nowMs - oldest.arrivedMs < limits.maxUpgradeWaitMs)
      }
      for (const [item, step] of steps.entries()) {
        if (step === 'wait for the next') {
          const nextMs = admission.nextMs(nowMs)
          assert.equal(nextMs === undefined, line.length === 0)
          if (nextMs === undefined) continue
          const before = line.length
          nowMs += nextMs + ROUNDING
          due()
          assert.ok(line.length < before, 'at the time it names there is something to do')
        } else if ('client' in step) {
          const { client } = step
          const held = of(client).length
          let displaced: Waiting | undefined
          const arrival = admission.arrive(item, client, nowMs, (other) => {
            displaced = line.find((one) => one.item === other)
            assert.ok(displaced !== undefined)
            const theirs = of(displaced.client)
            assert.equal(theirs.length, most(), 'of who holds most places')
            assert.ok(theirs.length > held + 1, 'and more than it will')
            assert.equal(displaced, theirs.at(-1), 'the newest')
            gone(displaced)
          })
          assert.ok(displaced === undefined || arrival === 'waits')
          if (arrival === 'admitted') {
            assert.equal(line.length, 0, 'nobody passes those who wait')
            admittedMs.push(nowMs)
          } else if (arrival === 'full') {
            assert.ok(most() <= held + 1, 'nobody holds more than it would')
          } else {
            line.push({ item, client, arrivedMs: nowMs })
            if (!turnWithin.has(client)) turnWithin.set(client, clients())
          }
        } else if ('pass' in step) {
          nowMs += (step.pass * 1_000) / limits.maxUpgradesPerSecond
          if (step.ticks) due()
        } else {
          const left = line[step.leave]
          assert.equal(admission.leave(left?.item ?? -1), left !== undefined)
          if (left === undefined) continue
          assert.equal(admission.leave(left.item), false)
          gone(left)
        }
        assert.equal(admission.waiting, line.length)
        const room = (limits.maxUpgradesPerSecond * limits.maxUpgradeWaitMs) / 1_000
        // One more than fits is in the line when a token is there that nobody has been given yet.
        assert.ok(line.length <= room + limits.maxUpgradeBurst, 'no more than the wait can serve')
      }
      for (const [i, fromMs] of admittedMs.entries()) {
        for (const [more, toMs] of admittedMs.slice(i).entries()) {
          const { maxUpgradeBurst, maxUpgradesPerSecond } = limits
          const allowed = maxUpgradeBurst + ((toMs - fromMs) * maxUpgradesPerSecond) / 1_000
          assert.ok(more + 1 <= allowed + ROUNDING, `${more + 1} within ${toMs - fromMs} ms`)
        }
      }
      const cleared: number[] = []
      admission.clear((item) => cleared.push(item))
      assert.deepEqual(
        cleared,
        line.map(({ item }) => item),
      )
      assert.equal(admission.waiting, 0)
    },
  )
  holds(t, property, { numRuns: 1_000 })
})

t.test(
  'it is full for those alone whose turn would come too late, and none of the others is late',
  async (t) => {
    const gaps = fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { maxLength: 60 })
    const property = fc.property(limits, gaps, (given, gaps) => {
      // With a burst of one, the time a tick is late is lost.
      const limits = { ...given, maxUpgradeBurst: given.maxUpgradeBurst + 1 }
      const tokenMs = 1_000 / limits.maxUpgradesPerSecond
      let nowMs = 0
      const admission = new Admission<number>(limits, nowMs)
      const admittedMs = new Map<number, number>()
      const runUntil = (untilMs: number): void => {
        for (;;) {
          const nextMs = admission.nextMs(nowMs)
          if (nextMs === undefined || nowMs + nextMs > untilMs) break
          nowMs += nextMs + ROUNDING
          admission.due(
            nowMs,
            (item) => admittedMs.set(item, nowMs),
            (item) => assert.fail(`${item} is late`),
          )
        }
        nowMs = Math.max(nowMs, untilMs)
      }
      const arrive = (item: number): string => {
        const arrival = admission.arrive(item, 'client', nowMs, () => assert.fail('displaced'))
        if (arrival === 'admitted') admittedMs.set(item, nowMs)
        return arrival
      }
      let item = 0
      for (const gap of gaps) {
        runUntil(nowMs + gap * tokenMs * (item % 3 === 0 ? 1 : 0.2))
        if (arrive(item++) === 'full') break
      }
      runUntil(nowMs + tokenMs / 2)
      while (arrive(item++) !== 'full') {}
      const fullMs = nowMs
      runUntil(Number.MAX_SAFE_INTEGER / 2)
      // It would have come a token after the last of those who waited, or had.
      const lastMs = Math.max(...admittedMs.values())
      assert.ok(lastMs + tokenMs - fullMs > limits.maxUpgradeWaitMs - 1e-3)
    })
    holds(t, property, { numRuns: 500 })
  },
)

t.test('a client that fills the line takes the places of nobody else', async (t) => {
  const limits = { maxUpgradesPerSecond: 500, maxUpgradeBurst: 1, maxUpgradeWaitMs: 1_000 }
  const admission = new Admission<string>(limits, 0)
  const displaced: string[] = []
  const arrive = (item: string, client: string): string =>
    admission.arrive(item, client, 0, (item) => displaced.push(item))
  const loud = Array.from({ length: 600 }, (_, i) => arrive(`loud${i}`, 'loud'))
  t.equal(loud.filter((arrival) => arrival === 'waits').length, 500)
  t.equal(arrive('loud', 'loud'), 'full')
  for (let i = 0; i < 20; i++) t.equal(arrive(`quiet${i}`, `quiet${i}`), 'waits')
  t.same(
    displaced,
    Array.from({ length: 20 }, (_, i) => `loud${500 - i}`),
  )
  t.equal(arrive('loud', 'loud'), 'full')
  const admitted: string[] = []
  for (let i = 1; i <= 21; i++) {
    admission.due(
      i * 2,
      (item) => admitted.push(item),
      () => t.fail('late'),
    )
  }
  t.same(admitted, ['loud1', ...Array.from({ length: 20 }, (_, i) => `quiet${i}`)])
})

t.test('a client that stays within its share keeps its place whatever others do', async (t) => {
  const limits = { maxUpgradesPerSecond: 1, maxUpgradeBurst: 1, maxUpgradeWaitMs: 12_000 }
  const property = fc.property(
    fc.array(fc.constantFrom('a', 'b', 'c', 'mine'), { maxLength: 60 }),
    (arrivals) => {
      const admission = new Admission<string>(limits, 0)
      let mine = 0
      for (const [i, client] of ['first', ...arrivals].entries()) {
        if (client === 'mine' && mine++ >= 3) continue
        const arrival = admission.arrive(`${client}${i}`, client, 0, (item) => {
          assert.ok(!item.startsWith('mine'), 'displaced')
        })
        if (client === 'mine') assert.equal(arrival, 'waits')
      }
    },
  )
  holds(t, property, { numRuns: 500 })
})

t.test('a quiet time fills the burst and no more', async (t) => {
  const limits = { maxUpgradesPerSecond: 10, maxUpgradeBurst: 3, maxUpgradeWaitMs: 200 }
  const admission = new Admission<string>(limits, 0)
  const arrive = (nowMs: number): string[] =>
    [...'abcdef'].map((item) => admission.arrive(`${item}${nowMs}`, 'client', nowMs, () => {}))
  const wave = ['admitted', 'admitted', 'admitted', 'waits', 'waits', 'full']
  t.same(arrive(0), wave)
  t.equal(admission.nextMs(0), 100)
  admission.clear(() => {})
  t.same(arrive(3_600_000), wave)
})

t.test('it says how long the line is in seconds, rounded up, at least one', async (t) => {
  const limits = { maxUpgradesPerSecond: 2, maxUpgradeBurst: 1, maxUpgradeWaitMs: 60_000 }
  const admission = new Admission<number>(limits, 0)
  t.equal(admission.lineSeconds, 1)
  for (let i = 0; i < 6; i++) admission.arrive(i, 'client', 0, () => {})
  t.equal(admission.waiting, 5)
  t.equal(admission.lineSeconds, 3)
})
