// An app to look at: one of everything the tree may hold.
import { dynamicSupervisor, genServer, type Pid, process, supervisor, task } from 'beamish'

export const Clerk = genServer('clerk', {
  init: (first: number) => ({ count: first, notes: [] as string[] }),
  handleCall: {
    read: (state) => state.count,
    delegate: (_state, _: undefined, self) =>
      task.await(
        self,
        task.async(self, function countUp() {
          return 1
        }),
      ),
    /** Spawns a process that nobody supervises. */
    hire: (_state, _: undefined, self): Pid => self.spawn(Idler, undefined),
  },
  handleCast: {
    add: (state, n: number) => {
      state.count += n
    },
    note: (state, text: string) => {
      state.notes.push(text)
    },
    fail: () => {
      throw new Error('asked to')
    },
    /** Counts in memory that the one who casts can wait on. */
    tick: (_state, cells: SharedArrayBuffer) => {
      const ticks = new Int32Array(cells)
      Atomics.add(ticks, 0, 1)
      Atomics.notify(ticks, 0)
    },
    spin: (_state, ms: number) => {
      const end = performance.now() + ms
      while (performance.now() < end);
    },
    /** Waits with a message in hand. */
    await: (_state, ms: number, self) => self.sleep(ms),
  },
  handleInfo: { anything: () => {} },
})

export const Sleeper = genServer('sleeper', {
  init: () => ({ kept: 'x'.repeat(4_000) }),
  hibernateAfterMs: 20,
})

export const Idler = process('idler', async (self) => {
  for (;;) await self.receive()
})

/** Its init hangs when the clerk `judge` says so. */
export const Slow = genServer('slow', {
  init: async (_: undefined, self) => {
    if ((await self.call(Clerk.named('judge'), 'read')) > 0) await self.sleep(60_000)
    return {}
  },
  handleCast: {
    fail: () => {
      throw new Error('asked to')
    },
  },
})

export default supervisor({
  maxRestarts: 100,
  children: [
    Clerk.child(1, { id: 'each', place: 'each' }),
    Clerk.child(0, { name: 'judge' }),
    supervisor({
      id: 'office',
      name: 'office',
      maxRestarts: 100,
      children: [
        Clerk.child(7, { name: 'desk' }),
        Sleeper.child(undefined, { name: 'sleeper', restart: 'transient' }),
        Slow.child(undefined, { name: 'slow' }),
      ],
    }),
    dynamicSupervisor({ name: 'crowd' }),
  ],
})
