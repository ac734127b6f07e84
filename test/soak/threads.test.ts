// Each thread in turn is brought down in each way while 50 clients chat. `npm run soak` runs all of it.
import t from 'tap'
import { assertAll } from './assert.ts'
import { Crowd } from './crowd.ts'
import type { Way } from './faults.ts'
import { judge, judgeAll } from './judge.ts'
import { percentiles } from './protocol.ts'
import { type Round, round } from './round.ts'
import { SoakServer } from './soakServer.ts'
import { OPTIONS, WAYS } from './ways.ts'

const CLIENTS = 50
const SCHEDULERS = 3
const ROUNDS = 16
const SAY_EVERY_MS = 500
/** Of the 50, on each thread at the start of a round. */
const LEAST_PER_THREAD = 8

t.setTimeout(300_000)
const server = await SoakServer.start({ schedulers: SCHEDULERS, options: OPTIONS })
t.teardown(() => server.stop())
const crowd = await Crowd.gather(server.base, CLIENTS)
t.teardown(() => crowd.leave())
crowd.talk(SAY_EVERY_MS)

const rounds: Round[] = []

for (let i = 0; i < ROUNDS; i++) {
  const way = WAYS[i % WAYS.length] as Way
  // Another thread for the same way each time round; one in four times the one with the singleton.
  const turn = i + Math.floor(i / WAYS.length)
  const target = turn % 4 === 3 ? 'singleton' : turn % SCHEDULERS
  const which = target === 'singleton' ? 'the thread with the singleton' : `thread ${target + 1}`
  t.test(`round ${i + 1}: ${which} ends by ${way}, and the chat goes on`, async (t) => {
    const seen = await round(server, crowd, way, target, LEAST_PER_THREAD)
    rounds.push(seen)
    t.comment(`${Math.round(100 * seen.available)} percent of the machine were ours`)
    assertAll(t, judge(seen))
  })
}

t.test(
  'all rounds: the singleton moves, and a call to main takes less than 50 ms at the 99th percentile',
  async (t) => {
    const { p50, p99, max } = percentiles(rounds.flatMap(({ calls }) => calls.toThread))
    t.comment(
      `main to thread: p50 ${p50.toFixed(2)}, p99 ${p99.toFixed(2)}, max ${max.toFixed(2)} ms`,
    )
    assertAll(t, judgeAll(rounds))
  },
)
