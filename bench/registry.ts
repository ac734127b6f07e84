/** What registries cost, on one thread: registrations, look-ups, and deaths of processes that share one key or have one each. */
import {
  duplicateRegistry,
  genServer,
  type Pid,
  type Self,
  start,
  supervisor,
  uniqueRegistry,
} from 'beamish'

const MEMBERS = 10_000
const ROUNDS = 5

const groups = duplicateRegistry('bench.groups')
const rooms = uniqueRegistry<number>('bench.rooms')

const Member = genServer('bench.member', {
  init: (key: string, self) => {
    groups.register(self, key)
    return undefined
  },
  handleCall: { ping: () => 'pong' },
})

/** Deaths a second of 10,000 members, told by their DOWNs. */
async function deaths(self: Self, keyOf: (i: number) => string): Promise<number> {
  const all: Pid[] = []
  for (let i = 0; i < MEMBERS; i++) all.push(await self.start(Member, keyOf(i)))
  const started = performance.now()
  for (const pid of all) self.exit(pid, 'kill')
  if ((await groups.count(self)) !== 0) throw new Error('entries are left')
  return MEMBERS / ((performance.now() - started) / 1_000)
}

/** How often a second `step` is through. */
async function rate(times: number, step: (i: number) => unknown): Promise<number> {
  const started = performance.now()
  for (let i = 0; i < times; i++) await step(i)
  return times / ((performance.now() - started) / 1_000)
}

const Driver = genServer('bench.registryDriver', {
  init: async (_: undefined, self) => {
    await rooms.register(self, 'known', 1)
    return undefined
  },
  handleCall: {
    async measure(_state, _: undefined, self) {
      return {
        'deaths, one key': await deaths(self, () => 'all'),
        'deaths, a key each': await deaths(self, String),
        'register + unregister, duplicate': await rate(100_000, () => {
          groups.register(self, 'mine')
          groups.unregister(self, 'mine')
        }),
        'register + unregister, unique': await rate(2_000, async (i) => {
          await rooms.register(self, i)
          rooms.unregister(self, i)
        }),
        'whereis, unique': await rate(100_000, () => rooms.whereis(self, 'known')),
      }
    },
  },
})

export default supervisor({ children: [Driver.child(undefined, { name: 'driver' })] })

export async function run(): Promise<void> {
  const node = await start(import.meta.url, { schedulers: 1, log: false })
  const best: Record<string, number> = {}
  for (let i = 0; i < ROUNDS; i++) {
    const driver = Driver.named('driver')
    const round = await node.self.call(driver, 'measure', undefined, { timeoutMs: 120_000 })
    for (const [name, perSecond] of Object.entries(round)) {
      best[name] = Math.max(best[name] ?? 0, Math.round(perSecond))
    }
  }
  await node.stop()
  console.table(Object.entries(best).map(([what, perSecond]) => ({ what, perSecond })))
}
