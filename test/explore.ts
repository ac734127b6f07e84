/** `npm run explore -- [runs] [seed]`: every scenario under that many schedules, 10,000 by default. */
import { explore } from 'beamish/testing'
import { historyScenarios } from './channels/history/schedules.ts'
import { presenceScenarios } from './channels/presence/schedules.ts'
import { scenarios } from './runtime/testing/scenarios.ts'

const [runs = 10_000, seed = 1] = process.argv.slice(2).map(Number)
for (const { name, options, run } of [...scenarios, ...presenceScenarios, ...historyScenarios]) {
  const started = performance.now()
  const { steps } = await explore(run, { ...options, runs, seed })
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  console.log(`${name}: ${runs} schedules hold, ${steps} steps in ${seconds} s`)
}
