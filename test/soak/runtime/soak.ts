/** One soak of the runtime: so many processes for so long, at random from a seed; then nothing may be left of them. */
import { isDeepStrictEqual } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type BeamishNode, start, type ThreadStats } from 'beamish'
import type { Orders } from './app.ts'
import type { Account } from './ledger.ts'
import { driverOf } from './servers.ts'

export interface SoakOptions {
  readonly seed: number
  readonly schedulers: number
  readonly processes: number
  /** Of the run itself; code is compiled and buffers have their size after the one before it. */
  readonly ms: number
  readonly warmUpMs: number
  readonly pauseMs: number
  readonly say?: (text: string) => void
}

/** Of main and each thread, by id. */
type Heaps = Readonly<Record<number, number>>

export interface Outcome {
  readonly seconds: number
  readonly accounts: readonly Account[]
  readonly heap: { readonly start: Heaps; readonly peak: Heaps; readonly end: Heaps }
  /** Most processes at a time, and most that slept. */
  readonly most: { readonly processes: number; readonly hibernated: number }
  /** What was wrong or is left over, in words. */
  readonly problems: readonly string[]
}

/** Counts that go on, and those that come and go by themselves. */
const PASSING = ['messages', 'batches', 'heapUsedBytes', 'hibernated', 'resources', 'scheduler']
const LOOK_EVERY_MS = 1_000
/** The last call times out, the last timer rings, the last trial ends. */
const SETTLE_MS = 40_000
const HEAP_SHARE = 1.1
/** Code that is compiled late, and the like. */
const HEAP_MORE_BYTES = 2e6

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export async function soak(options: SoakOptions): Promise<Outcome> {
  setFlagsFromString('--expose_gc')
  const node = await start(new URL('./app.ts', import.meta.url), {
    schedulers: options.schedulers,
    log: false,
    development: false,
    execArgv: ['--conditions=beamish-source'],
  })
  try {
    return await new Soak(node, options).run()
  } finally {
    await node.stop()
  }
}

class Soak {
  readonly #node: BeamishNode
  readonly #options: SoakOptions
  readonly #gc = runInNewContext('gc') as () => void
  readonly #peak: Record<number, number> = {}
  readonly #most = { processes: 0, hibernated: 0 }

  constructor(node: BeamishNode, options: SoakOptions) {
    this.#node = node
    this.#options = options
  }

  #ask(event: string, payload?: unknown): Promise<unknown[]> {
    const { self } = this.#node
    const asked = this.#node
      .schedulers()
      .map((id) => self.call(driverOf(id), event as never, payload as never, { timeoutMs: 60_000 }))
    return Promise.all(asked)
  }

  async run(): Promise<Outcome> {
    const { seed, ms, warmUpMs, say = () => {} } = this.#options
    const before = await this.#held()
    say(`held at the start: ${JSON.stringify(before)}`)
    await this.#work(seed ^ 1, warmUpMs)
    await this.#settled(before)
    const start = await this.#heap()
    const began = performance.now()
    await this.#work(seed, ms)
    const seconds = (performance.now() - began) / 1_000
    const after = await this.#settled(before)
    const end = await this.#heap()
    const accounts = (await this.#ask('account')) as Account[]
    const problems = [
      ...accounts.flatMap(({ scheduler, problems }) =>
        problems.map((text) => `thread ${scheduler}: ${text}`),
      ),
      ...leftOver(before, after),
      ...unended(accounts),
      ...grown(start, end),
    ]
    const heap = { start, peak: this.#peak, end }
    return { seconds, accounts, heap, most: this.#most, problems }
  }

  async #work(seed: number, ms: number): Promise<void> {
    const { schedulers, processes, pauseMs } = this.#options
    const each = Math.ceil(processes / schedulers)
    const orders: Orders = { seed, processes: each, pauseMs, threads: schedulers }
    await this.#ask('begin', orders)
    const until = performance.now() + ms
    while (performance.now() < until) {
      await wait(Math.min(LOOK_EVERY_MS, until - performance.now()))
      const stats = await this.#node.stats({ main: true })
      for (const { scheduler, heapUsedBytes } of stats) {
        this.#peak[scheduler] = Math.max(this.#peak[scheduler] ?? 0, heapUsedBytes)
      }
      const sum = (of: (one: ThreadStats) => number): number =>
        stats.reduce((all, one) => all + of(one), 0)
      const most = this.#most
      most.processes = Math.max(
        most.processes,
        sum((one) => one.processes),
      )
      most.hibernated = Math.max(
        most.hibernated,
        sum((one) => one.hibernated),
      )
    }
    await this.#ask('finish')
  }

  /** What is held, after a collection of garbage everywhere. */
  async #held(): Promise<Held> {
    const more = await this.#ask('collect')
    this.#gc()
    return heldBy(await this.#node.stats({ main: true }), more)
  }

  async #heap(): Promise<Heaps> {
    await this.#held()
    const stats = await this.#node.stats({ main: true })
    return Object.fromEntries(stats.map((one) => [one.scheduler, one.heapUsedBytes]))
  }

  /** What is held once that is what it was, or time is up. */
  async #settled(wanted: Held): Promise<Held> {
    const until = performance.now() + SETTLE_MS
    for (;;) {
      const held = await this.#held()
      if (isDeepStrictEqual(held, wanted) || performance.now() > until) return held
      await wait(LOOK_EVERY_MS / 4)
    }
  }
}

type Held = Readonly<Record<string, number>>

function heldBy(stats: readonly ThreadStats[], more: readonly unknown[]): Held {
  const held: Record<string, number> = {}
  for (const one of [...stats, ...(more as object[])]) {
    for (const [what, count] of Object.entries(one)) {
      if (!PASSING.includes(what)) held[what] = (held[what] ?? 0) + (count as number)
    }
  }
  return held
}

function leftOver(before: Held, after: Held): string[] {
  return Object.keys({ ...before, ...after })
    .filter((what) => before[what] !== after[what])
    .map((what) => `left over: ${what}: ${before[what]} before, ${after[what]} after`)
}

/** Every call has ended in one way. */
function unended(accounts: readonly Account[]): string[] {
  return accounts.flatMap(({ scheduler, counts }) => {
    const ended = Object.keys(counts)
      .filter((kind) => ENDS_OF_A_CALL.includes(kind))
      .reduce((sum, kind) => sum + (counts[kind] ?? 0), 0)
    const begun = counts.call ?? 0
    return ended === begun ? [] : [`thread ${scheduler}: ${begun} calls, ${ended} ended`]
  })
}

export const ENDS_OF_A_CALL = [
  'call answered',
  'call timed out',
  'call to nobody',
  'call ended by its server',
  'call abandoned',
  'call failed',
]

function grown(before: Heaps, after: Heaps): string[] {
  return Object.keys(after).flatMap((id) => {
    const [from, to] = [before[Number(id)] ?? 0, after[Number(id)] ?? 0]
    const text = `heap of ${id}: ${(from / 1e6).toFixed(1)} MB before, ${(to / 1e6).toFixed(1)} after`
    return to <= HEAP_SHARE * from + HEAP_MORE_BYTES ? [] : [text]
  })
}
