import fc from 'fast-check'
import t from 'tap'
import { Intensity } from '../../../runtime/supervisor/intensity.ts'
import { holds } from '../../channels/property.ts'

/** OTP's way: a list of all restarts, those older than the period dropped. */
class Model {
  readonly #max: number
  readonly #periodMs: number
  #times: number[] = []
  constructor(max: number, seconds: number) {
    this.#max = max
    this.#periodMs = seconds * 1_000
  }
  add(now: number): boolean {
    this.#times = [...this.#times, now].filter((time) => time >= now - this.#periodMs)
    return this.#times.length <= this.#max
  }
}

t.test('otp 129: exactly maxRestarts within maxSeconds are allowed, one more is not', async (t) => {
  const intensity = new Intensity(3, 5)
  t.same(
    [0, 1, 2].map((ms) => intensity.add(ms)),
    [true, true, true],
  )
  t.equal(intensity.add(5_000), false)
})

t.test('the window includes its first millisecond and ends after its last', async (t) => {
  const at = new Intensity(1, 5)
  t.equal(at.add(1_000), true)
  t.equal(at.add(6_000), false)
  const after = new Intensity(1, 5)
  t.equal(after.add(1_000), true)
  t.equal(after.add(6_001), true)
})

t.test('otp 130: with maxRestarts 0 the first is one too many', async (t) => {
  t.equal(new Intensity(0, 5).add(0), false)
})

t.test('otp 131: restarts spaced wider than the period never exceed', async (t) => {
  const intensity = new Intensity(1, 1)
  for (let i = 0; i < 1_000; i++) t.equal(intensity.add(i * 1_001), true, `restart ${i}`)
})

t.test('it agrees with a list of all restarts, up to the one too many', async (t) => {
  const steps = fc.array(fc.nat({ max: 2_500 }), { maxLength: 60 })
  holds(
    t,
    fc.property(fc.nat({ max: 6 }), fc.integer({ min: 1, max: 5 }), steps, (max, seconds, gaps) => {
      const intensity = new Intensity(max, seconds)
      const model = new Model(max, seconds)
      let now = 0
      for (const gap of gaps) {
        now += gap
        const expected = model.add(now)
        if (intensity.add(now) !== expected) return false
        // A supervisor ends there.
        if (!expected) return true
      }
      return true
    }),
    { numRuns: 2_000 },
  )
})
