/** Who is stuck, as a pure function of beats and time. */
import fc from 'fast-check'
import t from 'tap'
import { Watchdog } from '../../../runtime/node/watchdog.ts'
import { holds } from '../../channels/property.ts'

const MAX_MS = 1_000
const LOOK_MS = Watchdog.lookMs(MAX_MS)

const beats = (...counts: readonly [number, number][]): Map<number, number> => new Map(counts)

t.test(
  'a thread is stuck once it has not beaten for the limit, and suspect at half of it',
  async (t) => {
    const dog = new Watchdog(MAX_MS)
    const seen: { at: number; suspects: readonly number[]; stuck: readonly number[] }[] = []
    for (let at = 0; at <= MAX_MS; at += LOOK_MS) {
      const { suspects, stuck } = dog.look(at, beats([1, 7], [2, at]))
      if (suspects.length + stuck.length > 0) {
        seen.push({ at, suspects, stuck: stuck.map(({ id }) => id) })
      }
    }
    t.strictSame(seen, [
      { at: MAX_MS / 2, suspects: [1], stuck: [] },
      { at: MAX_MS, suspects: [], stuck: [1] },
    ])
  },
)

t.test(
  'a look that came late counts as one that came in time: a suspended process blames no thread',
  async (t) => {
    const dog = new Watchdog(MAX_MS)
    dog.look(0, beats([1, 7]))
    t.strictSame(dog.look(3_600_000, beats([1, 7])), { suspects: [], stuck: [] })
  },
)

t.test(
  'one that is not watched any more is forgotten: a debugger detached starts from nothing',
  async (t) => {
    const dog = new Watchdog(MAX_MS)
    let at = 0
    for (; at < MAX_MS - LOOK_MS; at += LOOK_MS) dog.look(at, beats([1, 7]))
    dog.look(at, beats())
    t.strictSame(dog.look(at + LOOK_MS, beats([1, 7])).stuck, [])
    t.strictSame(dog.look(at + 2 * LOOK_MS, beats([1, 7])).stuck, [])
  },
)

t.test(
  'for any looks and beats: stuck exactly when the time of the looks since its last beat reaches the limit',
  async (t) => {
    const look = fc.record({
      wait: fc.integer({ min: 1, max: LOOK_MS * 2 + 10 }),
      beat: fc.integer({ min: 0, max: 40 }).map((n) => n === 0),
    })
    const looks = fc.array(look, { minLength: 20, maxLength: 120 })
    holds(
      t,
      fc.property(looks, (all) => {
        const dog = new Watchdog(MAX_MS)
        let [now, count, silent] = [0, 0, 0]
        dog.look(0, beats([1, 0]))
        for (const { wait, beat } of all) {
          now += wait
          if (beat) count++
          silent = beat ? 0 : silent + Math.min(wait, LOOK_MS)
          const { stuck } = dog.look(now, beats([1, count]))
          if ((stuck.length === 1) !== silent >= MAX_MS) return false
        }
        return true
      }),
    )
  },
)
