// Replay under drawn schedules; `npm run explore` tries many more.
import { explore } from 'beamish/testing'
import t from 'tap'
import { historyScenarios } from './schedules.ts'

const RUNS = 15

for (const { name, options, run } of historyScenarios) {
  t.test(`${name}: all once and in order, or told that it is lost`, async (t) => {
    const seed = 1 + Math.floor(Math.random() * 1e6)
    t.comment(`seed ${seed}`)
    t.match(await explore(run, { ...options, runs: RUNS, seed }), { runs: RUNS })
  })
}
