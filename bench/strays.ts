/** What containing strays costs: nanoseconds per cast on one thread, to one busy process and to a thousand that get one each. */
import { genServer, start, supervisor } from 'beamish'

const CASTS = 1_000_000
const ROUNDS = 7

const counter = (name: string, containStrays: boolean) =>
  genServer(name, {
    containStrays,
    init: () => ({ count: 0 }),
    handleCall: { read: (state) => state.count },
    handleCast: {
      add(state, n: number) {
        state.count += n
      },
    },
  })
const plain = counter('bench.plain', false)
const contained = counter('bench.contained', true)

/** Measures on its own thread. */
const Driver = genServer('bench.driver', {
  init: (_: undefined) => undefined,
  handleCall: {
    /** Nanoseconds per cast. */
    async measure(_state, { contains, processes }: { contains: boolean; processes: number }, self) {
      const behaviour = contains ? contained : plain
      const all = Array.from({ length: processes }, () => self.spawn(behaviour, undefined))
      const last = all.at(-1) as (typeof all)[number]
      await self.call(last, 'read')
      const started = performance.now()
      for (let sent = 0; sent < CASTS; ) {
        for (let i = 0; i < 1_000; i++) self.cast(all[sent++ % processes] ?? last, 'add', 1)
        // The last one in the run queue: when it answers, all have had their turn.
        await self.call(last, 'read')
      }
      const ns = ((performance.now() - started) * 1e6) / CASTS
      for (const pid of all) self.exit(pid, 'kill')
      return ns
    },
  },
})

export default supervisor({ children: [Driver.child(undefined, { name: 'driver' })] })

export async function run(): Promise<void> {
  const node = await start(import.meta.url, { schedulers: 1, log: false })
  const driver = Driver.named('driver')
  const measure = (contains: boolean, processes: number): Promise<number> =>
    node.self.call(driver, 'measure', { contains, processes }, { timeoutMs: 60_000 })
  const rows: object[] = []
  for (const processes of [1, 1_000]) {
    const [without, within]: [number[], number[]] = [[], []]
    // By turns, so that a slow minute of the machine hits both.
    for (let i = 0; i < ROUNDS; i++) {
      without.push(await measure(false, processes))
      within.push(await measure(true, processes))
    }
    rows.push({ processes, plainNs: fastest(without), containedNs: fastest(within) })
  }
  await node.stop()
  console.table(rows)
}

/** What the work takes when nothing else has the core. */
const fastest = (values: readonly number[]): number => Math.round(Math.min(...values))
