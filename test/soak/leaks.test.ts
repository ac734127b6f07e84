// After 1,000 random kills of processes and threads under load nothing is left over. SEED repeats a run.
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { assertAll } from './assert.ts'
import { Crowd } from './crowd.ts'
import { type Holdings, holdings, hostTimers, mainHeap, threadsHeap } from './holdings.ts'
import { judgeMain } from './judge.ts'
import { Machine, processorMs } from './machine.ts'
import { type Counted, KINDS, type Kill, type Kind } from './protocol.ts'
import { SoakServer } from './soakServer.ts'

const CLIENTS = 50
const SCHEDULERS = 3
const SAY_EVERY_MS = 1_000
const LEAST_PER_THREAD = 8
/** Code is compiled, buffers have their size: what is held after these is the start. */
const WARM_UP = { processes: 150, threads: 4 }
const KILLS = { processes: 980, threads: 20 }
/** Of these at least; the last three may end only so often. */
const LEAST: Readonly<Record<Kind, number>> = {
  view: 50,
  transport: 50,
  worker: 50,
  guest: 50,
  endpoint: 4,
  dynamicSupervisor: 4,
  each: 4,
}
/** Their end closes every socket of their thread. */
const ALL_SOCKETS: readonly Kill['kind'][] = ['endpoint', 'dynamicSupervisor', 'thread']
/** Timers of the host come and go; if each kill of even the rarest kind left one behind, there would be more than these. */
const TIMERS_MORE = 3
const CHURN_MS = 200_000
/** A closed socket may linger for some seconds. */
const SETTLE_MS = 20_000
/** What has not changed for this long stays. */
const STEADY_MS = 2_000
const LOOK_EVERY_MS = 250

t.setTimeout(300_000)
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
t.comment(`SEED=${seed}`)
const server = await SoakServer.start({ schedulers: SCHEDULERS, options: {} })
t.teardown(() => server.stop())
const crowd = await Crowd.gather(server.base, CLIENTS)
t.teardown(() => crowd.leave())

/** Kills under load; then everybody is there again, spread over all threads, and silent. */
async function churn(what: { processes: number; threads: number }, with_: number): Promise<Kill[]> {
  crowd.talk(SAY_EVERY_MS)
  const cut = new Map<number, number>()
  crowd.allow(({ scheduler }, what) => {
    if (what === 'socket') cut.set(scheduler, (cut.get(scheduler) ?? 0) + 1)
    return true
  })
  const kills = await server.do('churn', { ...what, seed: with_ }, CHURN_MS)
  // The socket of a killed transport closes later: until then its client talks to nobody.
  await crowd.eachEchoes()
  await crowd.caughtUp()
  crowd.allow(() => false)
  for (const [scheduler, sockets] of cut) {
    const here = kills.filter((kill) => kill.scheduler === scheduler)
    if (here.some(({ kind }) => ALL_SOCKETS.includes(kind))) continue
    const killed = here.filter(({ kind }) => kind === 'transport').length
    if (sockets <= killed) continue
    crowd.problems.push(`thread ${scheduler} closed ${sockets} sockets, ${killed} were killed`)
  }
  await crowd.spread(await server.do('schedulers'), LEAST_PER_THREAD)
  await crowd.caughtUp()
  crowd.hush()
  return kills
}

/** Counts once what is held is what is wanted, or no longer changes. */
async function settled(wanted?: Holdings): Promise<Counted> {
  const until = Date.now() + SETTLE_MS
  let known: Holdings | undefined
  let since = Date.now()
  for (;;) {
    const counted = await server.do('count')
    const now = holdings(counted)
    if (!isDeepStrictEqual(now, known)) since = Date.now()
    known = now
    const done =
      wanted === undefined ? Date.now() - since > STEADY_MS : isDeepStrictEqual(now, wanted)
    if (done || Date.now() > until) return counted
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

t.test('1,000 kills leave nothing behind, and the chat works', async (t) => {
  await churn(WARM_UP, seed ^ 1)
  await crowd.leave()
  const emptyBefore = await settled()
  t.equal(holdings(emptyBefore).total.TCPSocketWrap ?? 0, 0, 'no socket is open at the start')
  await crowd.comeBack()
  await crowd.spread(await server.do('schedulers'), LEAST_PER_THREAD)
  const before = await settled()
  const { processorMs: serverMs } = await server.do('latency')
  const machine = new Machine(processorMs() + serverMs)

  const kills = await churn(KILLS, seed)
  t.strictSame(crowd.problems.splice(0), [], 'all that was said was heard, in order and once')
  const { calls, processorMs: serverMsNow } = await server.do('latency')
  const available = machine.available(processorMs() + serverMsNow)
  t.comment(`${Math.round(100 * available)} percent of the machine were ours`)

  for (const kind of [...KINDS, 'thread'] as const) {
    const done = kills.filter((kill) => kill.kind === kind)
    const ways = Map.groupBy(done, ({ by }) => by)
    const least = kind === 'thread' ? KILLS.threads : LEAST[kind]
    const text = [...ways].map(([by, { length }]) => `${length} by ${by}`).join(', ')
    t.ok(done.length >= least, `${kind}: ${text}`)
  }
  t.equal(kills.length, KILLS.processes + KILLS.threads, 'so many as were asked for')

  const after = await settled(holdings(before))
  const timers = (from: Counted, to: Counted): void => {
    const [few, many] = [hostTimers(from), hostTimers(to)]
    t.ok(many <= few + TIMERS_MORE, `timers of the host: ${few} before, ${many} after`)
  }
  timers(before, after)
  t.strictSame(holdings(after), holdings(before), 'the same is held for the same clients')
  const grown = (name: string, from: number, to: number): void => {
    const text = `${name}: ${(from / 1e6).toFixed(2)} MB before, ${(to / 1e6).toFixed(2)} MB after`
    t.ok(to <= 1.1 * from, text)
  }
  grown('heap of main', mainHeap(before), mainHeap(after))
  grown('heap of the threads', threadsHeap(before), threadsHeap(after))

  await crowd.leave()
  const emptyAfter = await settled(holdings(emptyBefore))
  t.strictSame(holdings(emptyAfter), holdings(emptyBefore), 'the same is held with nobody there')
  t.equal(holdings(emptyAfter).total.TCPSocketWrap ?? 0, 0, 'no socket is open')
  timers(emptyBefore, emptyAfter)
  grown('heap of main, nobody there', mainHeap(emptyBefore), mainHeap(emptyAfter))
  grown('heap of the threads, nobody there', threadsHeap(emptyBefore), threadsHeap(emptyAfter))

  await crowd.comeBack()
  crowd.talk(SAY_EVERY_MS)
  for (const client of crowd.clients) client.say()
  await crowd.caughtUp()
  t.strictSame(crowd.problems.splice(0), [], 'the chat works')

  assertAll(t, judgeMain([{ calls, available }]))
})
