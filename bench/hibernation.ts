/**
 * What hibernation gives back: bytes of heap per process, awake and asleep, for states of a process's own, for chats that share
 * their messages, and for states too small to be serialized; and what it takes to fall asleep and to wake. Collects garbage
 * before each figure.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { genServer, type NextOptions, noreply, type Pid, start, supervisor } from 'beamish'

const PROCESSES = 1_000
const MESSAGES = 500

const AUTHORS = ['ada', 'grace', 'edsger', 'barbara']
const words = (i: number): string => `message number ${i}: the quick brown fox jumps over it`

/** A page's worth of data that nobody else has: some 10 kB. */
const ownState = (n: number): object => ({
  user: { id: n, name: `user ${n}`, roles: ['member'], since: new Date(n) },
  filter: new Map([['status', `open ${n}`]]),
  rows: Array.from({ length: 60 }, (_, i) => ({
    id: n * 1_000 + i,
    title: `task ${i} of user ${n}`,
    note: `what there is to say about ${n} and ${i}`,
    done: i % 2 === 0,
    tags: [`tag ${i % 7} ${n}`],
  })),
})

const Own = genServer('bench.own', {
  init: (n: number) => ownState(n),
  handleCast: { sleep: (state) => noreply(state, { hibernate: true }), ping: () => undefined },
  handleCall: { ping: () => 1 },
})

/** As a chat: the last messages, which came as one broadcast for all. */
const Chat = genServer('bench.chat', {
  init: (n: number, self) => {
    self.subscribe('bench')
    return { username: `user ${n}`, messages: [] as unknown[] }
  },
  handleInfo: {
    broadcast: (state, { payload }: { payload: unknown }) =>
      noreply({ ...state, messages: [...state.messages, payload].slice(-100) }),
  },
  handleCast: { sleep: (state) => noreply(state, { hibernate: true }) },
  handleCall: { ping: () => 1 },
})

const Small = genServer('bench.small', {
  init: (n: number) => ({ count: n }),
  handleCast: { sleep: (state) => noreply(state, { hibernate: true } as NextOptions) },
  handleCall: { ping: () => 1 },
})

const behaviours = { own: Own, chat: Chat, small: Small }
type Kind = keyof typeof behaviours

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
const heap = (): number => {
  for (let i = 0; i < 4; i++) gc()
  return process.memoryUsage().heapUsed
}

/** Measures on its own thread. */
const Driver = genServer('bench.sleepDriver', {
  init: (_: undefined) => undefined,
  handleCall: {
    async measure(_state, kind: Kind, self) {
      const behaviour = behaviours[kind] as typeof Own
      const empty = heap()
      const all: Pid[] = []
      for (let i = 0; i < PROCESSES; i++) all.push(await self.start(behaviour, i))
      if (kind === 'chat') {
        for (let i = 0; i < MESSAGES; i++) {
          self.broadcast('bench', 'message', { name: AUTHORS[i % 4], text: words(i) })
        }
      }
      for (const pid of all) await self.call(pid as never, 'ping' as never)
      const awake = heap()
      const began = performance.now()
      for (const pid of all) self.cast(pid as never, 'sleep' as never)
      const isAsleep = async (pid: Pid) => (await self.info(pid))?.status === 'hibernated'
      for (const pid of all) while (!(await isAsleep(pid))) await self.sleep(1)
      const sleepMs = performance.now() - began
      const asleep = heap()
      const woke = performance.now()
      await Promise.all(all.map((pid) => self.call(pid as never, 'ping' as never)))
      const wakeMs = performance.now() - woke
      const again = heap()
      for (const pid of all) self.exit(pid, 'kill')
      const each = (bytes: number): number => Math.round((bytes - empty) / PROCESSES)
      return {
        state: kind,
        awakeBytes: each(awake),
        asleepBytes: each(asleep),
        wokenBytes: each(again),
        'all asleep after ms': Math.round(sleepMs),
        'wake + call us': Math.round((wakeMs * 1_000) / PROCESSES),
      }
    },
  },
})

export default supervisor({ children: [Driver.child(undefined, { name: 'driver' })] })

export async function run(): Promise<void> {
  const rows: object[] = []
  for (const kind of ['own', 'chat', 'small'] as const) {
    const node = await start(import.meta.url, { schedulers: 1, log: false })
    const driver = Driver.named('driver')
    rows.push(await node.self.call(driver, 'measure', kind, { timeoutMs: 120_000 }))
    await node.stop()
  }
  console.table(rows)
}
