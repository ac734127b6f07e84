/** How long a dynamic supervisor takes to restart all its children, killed at once: it must grow with their number alone. */
import { dynamicSupervisor, genServer, type Pid, start, supervisor } from 'beamish'

const SIZES = [100, 1_000, 10_000, 50_000]
const ROUNDS = 3

const Worker = genServer('bench.restarted', {
  init: (driver: Pid, self) => {
    self.send(driver, { type: 'up', pid: self.pid })
    return {}
  },
})

const Driver = genServer('bench.restartsDriver', {
  init: (_: undefined) => ({ pids: [] as Pid[] }),
  handleInfo: {
    up(state, { pid }: { type: 'up'; pid: Pid }) {
      state.pids.push(pid)
    },
  },
  handleCall: {
    up: (state) => state.pids.length,
    /** Those that came up since it was asked last. */
    taken: (state) => state.pids.splice(0),
  },
  handleCast: {
    kill(_state, pids: readonly Pid[], self) {
      for (const pid of pids) self.exit(pid, 'kill')
    },
  },
})

export default supervisor({
  children: [
    Driver.child(undefined, { name: 'restarts-driver', place: { key: 'bench' } }),
    dynamicSupervisor({ name: 'restarted', maxRestarts: 10_000_000, place: { key: 'bench' } }),
  ],
})

export async function run(): Promise<void> {
  const node = await start(import.meta.url, { schedulers: 1, log: false })
  const { self } = node
  const driver = Driver.named('restarts-driver')
  const driverPid = (await self.whereis('restarts-driver')) as Pid
  const allUp = async (count: number): Promise<Pid[]> => {
    while ((await self.call(driver, 'up')) < count) await self.sleep(1)
    return self.call(driver, 'taken')
  }
  const rows: object[] = []
  for (const children of SIZES) {
    const spec = Worker.child(driverPid)
    await Promise.all(
      Array.from({ length: children }, () =>
        self.call('restarted', 'startChild', spec, { timeoutMs: 120_000 }),
      ),
    )
    let pids = await allUp(children)
    let best = Number.POSITIVE_INFINITY
    for (let i = 0; i < ROUNDS; i++) {
      const begun = performance.now()
      self.cast(driver, 'kill', pids)
      pids = await allUp(children)
      best = Math.min(best, performance.now() - begun)
    }
    for (const pid of pids) {
      await self.call('restarted', 'terminateChild', pid, { timeoutMs: 120_000 })
    }
    rows.push({
      children,
      ms: Math.round(best),
      restartsPerS: Math.round((children / best) * 1_000),
      usEach: Number(((best / children) * 1_000).toFixed(1)),
    })
  }
  await node.stop()
  console.table(rows)
}
