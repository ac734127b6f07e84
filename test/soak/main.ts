/**
 * `npm run soak -- [--times 20] [--schedulers 3] [--ways exit,throw]`: brings each thread down in each way, so many times
 * over, while 50 clients chat, and prints what that took. The tests of this folder are a short run of the same.
 */
import { parseArgs } from 'node:util'
import { Crowd } from './crowd.ts'
import type { Way } from './faults.ts'
import { type Check, judge, judgeAll } from './judge.ts'
import { percentiles } from './protocol.ts'
import { type Round, round } from './round.ts'
import { SoakServer } from './soakServer.ts'
import { OPTIONS, WAYS } from './ways.ts'

const CLIENTS = 50
const SAY_EVERY_MS = 500
const LEAST_PER_THREAD = 8

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '20' },
    schedulers: { type: 'string', default: '3' },
    ways: { type: 'string', default: WAYS.join(',') },
  },
})
const times = Number(values.times)
const schedulers = Number(values.schedulers)
const ways = values.ways.split(',') as Way[]
const unknown = ways.filter((way) => !WAYS.includes(way))
if (!(times > 0) || !(schedulers > 1) || unknown.length > 0) {
  console.error(`--times from 1, --schedulers from 2, --ways of ${WAYS.join(',')}`)
  process.exit(1)
}

const server = await SoakServer.start({ schedulers, options: OPTIONS })
const crowd = await Crowd.gather(server.base, CLIENTS)
crowd.talk(SAY_EVERY_MS)

const heard = (): number => crowd.clients.reduce((sum, client) => sum + client.heard, 0)
const rounds: Round[] = []
let [failures, skipped] = [0, 0]
const weigh = (label: string, checks: readonly Check[]): void => {
  for (const { text, ok, skip } of checks) {
    if (skip !== undefined) {
      skipped++
      console.error(`${label}: not judged: ${text}: ${skip}`)
    } else if (!ok) {
      failures++
      console.error(`${label}: ${text}`)
    }
  }
}
const run = async (label: string, way: Way, target: number | 'singleton'): Promise<boolean> => {
  const seen = await round(server, crowd, way, target, LEAST_PER_THREAD)
  rounds.push(seen)
  weigh(`${label} by ${way}`, judge(seen))
  return seen.singleton
}

for (let time = 1; time <= times; time++) {
  for (const way of ways) {
    let held = false
    for (let index = 0; index < schedulers; index++) {
      held = (await run(`time ${time}, thread ${index + 1}`, way, index)) || held
    }
    // It moves from thread to thread, and may have been elsewhere each time.
    if (!held) await run(`time ${time}, thread with the singleton`, way, 'singleton')
  }
  console.error(`${time} of ${times}: ${rounds.length} rounds, ${heard()} heard`)
}
await crowd.leave()
await server.stop()

const shown = (samples: readonly number[]): string => {
  const { p50, p99, max } = percentiles(samples)
  return [p50, p99, max].map((ms) => ms.toFixed(p50 < 10 ? 1 : 0)).join(' / ')
}
const row = (of: readonly Round[]): Record<string, string | number> => ({
  rounds: of.length,
  clients: of.reduce((sum, one) => sum + one.victims, 0),
  'given up after': shown(of.map((one) => one.noticedMs)),
  'clients chat again': shown(of.map((one) => one.chatMs)),
  'new ones served': shown(of.map((one) => one.newMs)),
  'replacement serves': shown(of.map((one) => one.readyMs)),
  'call on main': shown(of.flatMap(({ calls }) => calls.onMain)),
  'thread to main': shown(of.flatMap(({ calls }) => calls.toMain)),
  'main to thread': shown(of.flatMap(({ calls }) => calls.toThread)),
  'machine ours': `${Math.round(percentiles(of.map((one) => 100 * one.available)).p50)} %`,
})
console.log(
  `${rounds.length} lost threads of ${schedulers}, ${CLIENTS} clients, ${heard()} messages heard, ` +
    `${rounds.filter((one) => one.singleton).length} times with the singleton; median / p99 / max in ms`,
)
console.table({
  ...Object.fromEntries(ways.map((way) => [way, row(rounds.filter((one) => one.way === way))])),
  all: row(rounds),
})
weigh('all rounds', judgeAll(rounds))
const kept =
  skipped === 0
    ? 'All bounds were kept.'
    : `All bounds that were judged were kept; ${skipped} were not judged: the machine was not ours.`
console.log(failures === 0 ? kept : `${failures} failures, ${skipped} not judged`)
process.exitCode = failures === 0 ? 0 : 1
