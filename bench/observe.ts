/**
 * What looking at a running node costs: observe() of 100,000 processes, in milliseconds of each thread's own time and in the
 * longest pause a neighbour notices; and what a trace costs the messages of a thread, those it is about and those it is not.
 */
import { genServer, type Pid, start, supervisor } from 'beamish'

const PROCESSES = 100_000
const MESSAGES = 500_000
const ROUNDS = 7

const Small = genServer('bench.watched', {
  init: () => ({ count: 0 }),
  handleCast: {
    add: (state) => {
      state.count++
    },
  },
  handleCall: { read: (state) => state.count },
})

const Filler = genServer('bench.filler', {
  init: (count: number, self) => {
    for (let i = 0; i < count; i++) self.spawn(Small, undefined)
    return {}
  },
})

/** Notes the longest time its loop did not turn. */
const Pulse = genServer('bench.pulse', {
  init: () => {
    const state = { last: performance.now(), longestMs: 0 }
    const beat = (): void => {
      const now = performance.now()
      state.longestMs = Math.max(state.longestMs, now - state.last)
      state.last = now
      setImmediate(beat)
    }
    beat()
    return state
  },
  handleCall: {
    longest: (state) => {
      const { longestMs } = state
      state.longestMs = 0
      return longestMs
    },
  },
})

const Driver = genServer('bench.tracer', {
  init: () => ({}),
  handleCall: {
    /** Nanoseconds per cast that is handled. */
    casts: async (_state, to: Pid, self): Promise<number> => {
      const began = performance.now()
      for (let i = 0; i < MESSAGES / 1_000; i++) {
        for (let k = 0; k < 1_000; k++) self.cast(to, 'add')
        await self.call(to, 'read')
      }
      return ((performance.now() - began) * 1e6) / MESSAGES
    },
    make: async (_state, _: undefined, self): Promise<Pid> => self.start(Small, undefined),
  },
})

export default supervisor({
  children: [
    Filler.child(PROCESSES / 2, { id: 'filler', place: 'each' }),
    Pulse.child(undefined, { name: 'pulse', place: { key: 'here' } }),
    Driver.child(undefined, { name: 'driver' }),
  ],
})

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

export async function run(): Promise<void> {
  const node = await start(import.meta.url, { schedulers: 2, log: false, development: false })
  const { self } = node
  const call = <T>(name: string, event: string, payload?: unknown): Promise<T> =>
    self.call(name, event, payload as never, { timeoutMs: 60_000 }) as Promise<T>

  console.log(`observe() of ${PROCESSES.toLocaleString('en')} processes on 2 threads`)
  console.log('options                        thread ms  pause ms  answer kB')
  const options = [
    {},
    { windowMs: 100 },
    { memory: true },
    { maxProcesses: 20_000, maxChildren: 10_000 },
  ]
  for (const one of options) {
    const took: number[] = []
    const pauses: number[] = []
    let size = 0
    for (let i = 0; i < ROUNDS; i++) {
      await call('pulse', 'longest')
      const report = await node.observe({ timeoutMs: 30_000, ...one })
      pauses.push(await call('pulse', 'longest'))
      took.push(Math.max(...report.threads.map(({ counts }) => counts?.tookMs ?? 0)))
      size = JSON.stringify(report).length / 1_000
    }
    const figures = [median(took), median(pauses), size].map((n) => n.toFixed(1).padStart(9))
    console.log(`${JSON.stringify(one).padEnd(40)}${figures.join(' ')}`)
  }

  const to = await call<Pid>('driver', 'make')
  const other = await call<Pid>('driver', 'make')
  const casts = (): Promise<number> => call('driver', 'casts', to)
  await casts()
  const without: number[] = []
  const ratios: { readonly another: number[]; readonly sampled: number[] } = {
    another: [],
    sampled: [],
  }
  const perEvent: number[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const plain = await casts()
    without.push(plain)
    const another = await node.trace({ pid: other })
    ratios.another.push((await casts()) / plain)
    another.stop()
    await another.ended
    const sampled = await node.trace({ pid: to, kinds: ['handle'], sample: 1e-9 })
    ratios.sampled.push((await casts()) / plain)
    sampled.stop()
    const trace = await node.trace({ pid: to, kinds: ['handle'], limit: 10_000, onEvent: () => {} })
    perEvent.push((((await casts()) - plain) * MESSAGES) / 10_000)
    trace.stop()
  }
  console.log(`\na cast within a thread: ${median(without).toFixed(0)} ns`)
  console.log(
    `  beside a trace of another process: ${median(ratios.another).toFixed(2)} times that`,
  )
  console.log(
    `  of a process whose trace draws no event: ${median(ratios.sampled).toFixed(2)} times that`,
  )
  console.log(`  told to main, or dropped: ${(median(perEvent) / 1_000).toFixed(1)} us more`)
  await node.stop()
}
