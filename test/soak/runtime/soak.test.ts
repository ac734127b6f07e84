// A short run of `npm run soak:runtime`, which is longer and larger. SEED repeats one.
import t from 'tap'
import { soak } from './soak.ts'

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
t.comment(`SEED=${seed}`)

/** What has to be among what was done, for the run to show anything. */
const DONE = [
  'call answered',
  'call timed out',
  'DOWN',
  'crash',
  'linked pair',
  'name',
  'alias',
  'task',
]

t.test(
  'processes at random keep what the semantics promise, and leave nothing behind',
  async (t) => {
    const options = {
      seed,
      schedulers: 2,
      processes: 400,
      ms: 2_500,
      warmUpMs: 1_000,
      pauseMs: 200,
    }
    const { problems, accounts, most } = await soak(options)
    t.strictSame(problems, [])
    for (const kind of DONE)
      t.ok(
        accounts.some(({ counts }) => (counts[kind] ?? 0) > 0),
        kind,
      )
    t.ok(most.processes >= 400, `${most.processes} processes`)
  },
)
