// Mistakes in the options of trackers and presences, and the form of references.
import fc from 'fast-check'
import t from 'tap'
import { presence, tracker } from '../../../channels/presence/index.ts'
import { makeRef, refPrefix } from '../../../channels/presence/ref.ts'
import { holds } from '../property.ts'

t.test('channels 99: periods and limits that make no sense are refused', async (t) => {
  for (const options of [
    { broadcastPeriodMs: -1 },
    { broadcastPeriodMs: 1.5 },
    { broadcastPeriodMs: 20, heartbeatMs: 20 },
    { heartbeatMs: Number.POSITIVE_INFINITY },
    { maxDiffSize: 0 },
    { maxDeltaLog: 0 },
  ]) {
    t.throws(() => tracker('refused', options), { code: 'BEAMISH_BAD_OPTION' })
    t.throws(() => presence('refused', options), { code: 'BEAMISH_BAD_OPTION' })
  }
  for (const options of [{ fetchTimeoutMs: 0 }, { maxWaiting: 0 }, { handleMetas: () => {} }]) {
    t.throws(() => presence('refused', options), { code: 'BEAMISH_BAD_OPTION' })
  }
})

t.test(
  'references are 16 characters of base64url, and differ by replica and by clock',
  async (t) => {
    const clock = fc.integer({ min: 1, max: 2 ** 48 - 1 })
    const bytes = fc.uint8Array({ minLength: 6, maxLength: 6 })
    const ref = (prefix: Uint8Array, at: number) => makeRef(Buffer.from(prefix), at)
    holds(
      t,
      fc.property(bytes, bytes, clock, clock, (a, b, m, n) => {
        const same = Buffer.compare(a, b) === 0 && m === n
        return /^[\w-]{16}$/.test(ref(a, m)) && (ref(a, m) === ref(b, n)) === same
      }),
    )
    t.same(
      refPrefix(() => 0.999),
      Buffer.alloc(6, 255),
    )
  },
)
