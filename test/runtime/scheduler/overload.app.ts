/** One that can be made to wait inside a handler while its mailbox fills, and one that fills it, on a thread of choice. */
import { type Destination, Exit, genServer, type Pid, process, supervisor } from 'beamish'

/** Waits in `block` until its boss has answered; keeps what it was told meanwhile. */
export const Slow = genServer('overload.slow', {
  init: () => ({ got: [] as unknown[] }),
  handleCast: {
    async block(_state, boss: Pid, self) {
      await self.call(boss, 'gate', undefined, { timeoutMs: Number.POSITIVE_INFINITY })
    },
    note(state, what: unknown) {
      state.got.push(what)
    },
  },
  handleCall: { read: (state) => state.got, mailbox: () => 'answered' },
  handleInfo: {
    DOWN(state) {
      state.got.push('DOWN')
    },
    EXIT(state) {
      state.got.push('EXIT')
    },
    watch(state, { pid }: { type: 'watch'; pid: Pid }, self) {
      self.trapExit(true)
      self.monitor(pid)
      self.link(pid)
      state.got.push('watches')
    },
  },
})

/** The same, with a limit of its own that a start may override. */
export const Narrow = genServer('overload.narrow', {
  mailbox: { maxLength: 2, policy: 'drop_newest' },
  init: () => ({ got: [] as unknown[] }),
  handleCast: {
    async block(_state, boss: Pid, self) {
      await self.call(boss, 'gate', undefined, { timeoutMs: Number.POSITIVE_INFINITY })
    },
    note(state, what: unknown) {
      state.got.push(what)
    },
  },
  handleCall: { read: (state) => state.got },
})

export const Flooder = genServer('overload.flooder', {
  init: (_: undefined) => undefined,
  handleCall: {
    // A question behind them on the same way: its answer says that all have arrived.
    async casts(_state, { to, from, until }: { to: Pid; from: number; until: number }, self) {
      for (let i = from; i < until; i++) self.cast(to, 'note', i)
      await self.info(to)
    },
    async sends(_state, { to, what }: { to: Pid; what: readonly unknown[] }, self) {
      for (const one of what) self.send(to, one)
      await self.info(to)
    },
    /** Casts, then a call in the same step: its reply, or the reason it failed for. */
    async asks(
      _state,
      { to, casts, event }: { to: Destination; casts: number; event: string },
      self,
    ) {
      for (let i = 0; i < casts; i++) self.cast(to, 'note', i)
      try {
        return { reply: await self.call(to, event, undefined, { timeoutMs: 60_000 }) }
      } catch (thrown) {
        return thrown instanceof Exit ? { failed: thrown.reason } : { threw: String(thrown) }
      }
    },
    dropped: async (_state, pid: Pid, self) => (await self.info(pid))?.dropped,
  },
})

/** Raw: takes what matches only, while the rest waits. */
export const Picky = process('overload.picky', async (self, boss: Pid) => {
  const go = await self.receive((m): m is 'go' => m === 'go')
  const rest: unknown[] = [go]
  for (;;) {
    const next = await self.receive(undefined, 0)
    if (next === undefined) break
    rest.push(next)
  }
  self.send(boss, { picky: rest })
})

export default supervisor({ children: [] })
