/** This side of `npm run bench -- runtime`: `node bench/runtime/beamish.ts CASE` measures one case and prints its figure. */
import { getHeapStatistics } from 'node:v8'
import {
  type BeamishNode,
  dynamicSupervisor,
  genServer,
  noreply,
  type Pid,
  start,
  supervisor,
} from 'beamish'
import {
  Caller,
  Caster,
  Killer,
  Member,
  Ping,
  Receiver,
  Sender,
  Spawner,
  startCounter,
  Timers,
  TREE,
} from './actors.ts'
import { CASES } from './cases.ts'

const AUDIENCE = 10_000
const IDLE = 100_000
const SETTLE_MS = 100

const Record = genServer('bench.record', {
  init: (id: number) => ({ id, name: 'none', count: 0, since: id * 2, open: true }),
  handleCall: { read: (state) => state.count },
  handleCast: { rest: (state) => noreply(state, { hibernate: true }) },
})

/** Starts servers that do nothing, and weighs the heap of their thread. */
const Meter = genServer('bench.meter', {
  init: (_: undefined, self) => [] as Awaited<ReturnType<typeof self.start<typeof Record>>>[],
  handleCall: {
    weigh: (_pids, _payload: undefined, self) => heapBytes(self),
    async fill(pids, count: number, self) {
      for (let i = 0; i < count; i++) pids.push(await self.start(Record, i))
    },
    rest(pids, _payload: undefined, self) {
      for (const pid of pids) self.cast(pid, 'rest')
    },
  },
})

async function heapBytes(self: { sleep(ms: number): Promise<void> }): Promise<number> {
  await self.sleep(SETTLE_MS)
  const collect = (globalThis as { gc?: () => void }).gc
  if (collect === undefined) throw new Error('run with --expose-gc')
  for (let i = 0; i < 3; i++) collect()
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}

export default supervisor({
  children: [
    dynamicSupervisor({ name: TREE, maxRestarts: 1_000_000_000, maxSeconds: 3_600 }),
    Meter.child(undefined, { name: 'bench.meter' }),
  ],
})

type Measure = (node: BeamishNode) => Promise<number>

/** Operations per second: `left` for each of the drivers, `each` per one of them, after a tenth of it to warm up. */
async function rate(
  { self }: BeamishNode,
  drivers: readonly Pid[],
  left: number,
  each = 1,
): Promise<number> {
  const run = async (times: number): Promise<void> => {
    for (const driver of drivers) self.send(driver, { type: 'begin', left: times, done: self.pid })
    for (let done = 0; done < drivers.length; done++) await self.receive((m) => m === 'done')
  }
  await run(Math.max(1, Math.floor(left / 10)))
  const started = performance.now()
  await run(left)
  return (drivers.length * left * each * 1_000) / (performance.now() - started)
}

const here = { place: { scheduler: 1 } } as const
const many = <T>(count: number, make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, make))

async function callers(
  node: BeamishNode,
  count: number,
  left: number,
  at: number,
): Promise<number> {
  const counter = await startCounter(node.self, at)
  return rate(node, await many(count, () => node.self.start(Caller, counter, here)), left)
}

async function casts(node: BeamishNode, left: number, at: number): Promise<number> {
  const counter = await startCounter(node.self, at)
  return rate(node, [await node.self.start(Caster, counter, here)], left)
}

async function audience(
  node: BeamishNode,
  threads: number,
  by: 'send' | 'dispatch',
): Promise<number> {
  const { self } = node
  const receivers: Pid[] = []
  const lasts = new Map<number, Pid>()
  for (let i = 0; i < AUDIENCE; i++) {
    const scheduler = 1 + (i % threads)
    const pid = await self.start(Receiver, undefined, { place: { scheduler } })
    receivers.push(pid)
    lasts.set(scheduler, pid)
  }
  const given = { receivers, lasts: [...lasts.values()], by }
  return rate(node, [await self.start(Sender, given, here)], 100, AUDIENCE)
}

const restarts =
  (children: number, rounds: number): Measure =>
  async (node) => {
    const options = { ...here, timeoutMs: 120_000 }
    return rate(node, [await node.self.start(Killer, children, options)], rounds, children)
  }

async function bytes(node: BeamishNode, rest: boolean): Promise<number> {
  const meter = Meter.named('bench.meter')
  const options = { timeoutMs: 120_000 }
  const before = await node.self.call(meter, 'weigh')
  await node.self.call(meter, 'fill', IDLE, options)
  if (rest) {
    await node.self.call(meter, 'rest', undefined, options)
    // A few fall asleep at a time.
    while (!(await node.stats()).some(({ hibernated }) => hibernated >= IDLE)) {
      await node.self.sleep(SETTLE_MS)
    }
  }
  // The list of pids is not the servers'.
  return ((await node.self.call(meter, 'weigh')) - before) / IDLE - 8
}

const measures: Readonly<Record<string, Measure>> = {
  pingPong: async (node) => rate(node, [await node.self.start(Ping, undefined, here)], 1_000_000),
  pairs100: async (node) =>
    rate(node, await many(100, () => node.self.start(Ping, undefined, here)), 10_000),
  spawn: async (node) => rate(node, [await node.self.start(Spawner, undefined, here)], 500_000),
  call: (node) => callers(node, 1, 500_000, 1),
  call100: (node) => callers(node, 100, 5_000, 1),
  cast: (node) => casts(node, 2_000_000, 1),
  async ring(node) {
    const { self } = node
    const first = await self.start(Member, undefined, here)
    let last: Pid = first
    for (let i = 1; i < 1_000; i++) last = await self.start(Member, last, here)
    self.send(first, { type: 'close', next: last })
    return rate(node, [first], 2_000, 1_000)
  },
  fanOut: (node) => audience(node, 1, 'send'),
  dispatch: (node) => audience(node, 1, 'dispatch'),
  timers: async (node) => rate(node, [await node.self.start(Timers, undefined, here)], 1_000_000),
  restart100: restarts(100, 100),
  restart10000: restarts(10_000, 10),
  idleBytes: (node) => bytes(node, false),
  hibernatedBytes: (node) => bytes(node, true),
  crossCast: (node) => casts(node, 2_000_000, 2),
  crossCall: (node) => callers(node, 1, 20_000, 2),
  crossCall100: (node) => callers(node, 100, 3_000, 2),
  crossFanOut: (node) => audience(node, 2, 'send'),
}

if (import.meta.main) {
  const name = process.argv[2] ?? ''
  const found = CASES.find((one) => one.name === name)
  const measure = measures[name]
  if (found === undefined || measure === undefined) throw new Error(`no case ${name}`)
  const node = await start(import.meta.url, { schedulers: found.schedulers, log: false })
  console.log((await measure(node)).toFixed(1))
  await node.stop()
}
