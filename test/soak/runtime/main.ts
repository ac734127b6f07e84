/**
 * `npm run soak:runtime -- [--minutes 5] [--processes 10000] [--schedulers 2] [--seed N]`: processes of all kinds spawn, link,
 * call, crash, time out, register, subscribe and sleep, at random, over all threads; what the semantics promise is checked all
 * along, and at the end nothing may be left of them. Prints its figures, and ends with 1 where something was wrong.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { ENDS_OF_A_CALL, soak } from './soak.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    processes: { type: 'string', default: '10000' },
    schedulers: { type: 'string', default: String(Math.max(2, availableParallelism())) },
    pause: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
})
const [minutes, processes] = [Number(values.minutes), Number(values.processes)]
const [schedulers, seed, pauseMs] = [values.schedulers, values.seed, values.pause].map(Number) as [
  number,
  number,
  number,
]
if (!(minutes > 0 && processes > 0 && schedulers > 0 && pauseMs > 0) || !Number.isInteger(seed)) {
  console.error(
    '--minutes, --processes, --schedulers and --pause (ms) above 0, --seed a whole number',
  )
  process.exit(1)
}
console.log(
  `--seed ${seed}: ${processes} processes on ${schedulers} threads for ${minutes} minutes`,
)
const ms = minutes * 60_000
const { seconds, accounts, heap, most, problems } = await soak({
  seed,
  schedulers,
  processes,
  ms,
  warmUpMs: Math.min(30_000, ms / 4),
  pauseMs,
  say: (text) => console.error(text),
})

const totals: Record<string, number> = {}
for (const { counts } of accounts) {
  for (const [kind, n] of Object.entries(counts)) totals[kind] = (totals[kind] ?? 0) + n
}
const perSecond = (n: number): number => Number((n / seconds).toFixed(1))
console.table(
  Object.fromEntries(
    Object.keys(totals)
      .toSorted()
      .map((kind) => [kind, { times: totals[kind], 'per second': perSecond(totals[kind] ?? 0) }]),
  ),
)
const mb = (bytes: number | undefined): number => Number(((bytes ?? 0) / 1e6).toFixed(1))
console.table(
  Object.fromEntries(
    Object.keys(heap.end).map((id) => {
      const { callMs } = accounts.find(({ scheduler }) => scheduler === Number(id)) ?? {}
      return [
        id === '0' ? 'main' : `thread ${id}`,
        {
          'heap MB at the start': mb(heap.start[Number(id)]),
          peak: mb(heap.peak[Number(id)]),
          end: mb(heap.end[Number(id)]),
          'call p50 ms': callMs?.p50,
          p99: callMs?.p99,
          max: callMs?.max,
        },
      ]
    }),
  ),
)
const ends = ENDS_OF_A_CALL.map((kind) => `${totals[kind] ?? 0} ${kind.slice(5)}`).join(', ')
console.log(`${totals.call ?? 0} calls: ${ends}`)
console.log(`${most.processes} processes at most, ${most.hibernated} of all that slept`)
for (const problem of problems) console.error(problem)
console.log(
  problems.length === 0 ? 'Nothing was wrong, and nothing is left.' : 'Something is wrong.',
)
process.exitCode = problems.length === 0 ? 0 : 1
