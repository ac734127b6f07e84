import { genServer, reply, type Self, stop } from 'beamish'
export const Counter = genServer('counter', {
  init: (start: number) => ({ count: start }),
  handleCall: {
    read: (state) => state.count,
    sum: (state, n: number) => n + state.count,
    opt: (_s, n?: string) => [n],
    async claim(state, c: { a: number }, self, from) {
      self.pid
      from.ref
      return state.count + c.a
    },
    rep: (s) => reply('x', s),
    st: () => stop('x'),
  },
  handleCast: {
    add: (state, n: number) => {
      state.count += n
    },
    reset(state) {
      state.count = 0
    },
  },
  handleInfo: {
    tick(state, m: { type: 'tick' }, self) {
      state.count++
      self.pid
      m.type
    },
    DOWN(s, m) {
      m.ref
      s.count
    },
  },
  terminate(reason, state) {
    state.count
    reason
  },
})
export async function f(self: Self) {
  const hits = Counter.named('hits')
  const n: number = await self.call(hits, 'read')
  const m: number = await self.call(hits, 'sum', 3)
  const o: number = await self.call(hits, 'claim', { a: 1 }, { timeoutMs: 4 })
  const r: string = await self.call(hits, 'rep')
  // @ts-expect-error
  await self.call(hits, 'nope')
  // @ts-expect-error
  await self.call(hits, 'sum', 'x')
  // @ts-expect-error
  await self.call(hits, 'sum')
  const q = await self.call(hits, 'opt')
  q.length
  self.cast(hits, 'add', 3)
  self.cast(hits, 'reset')
  // @ts-expect-error
  self.cast(hits, 'add', 'x')
  const pid = self.spawn(Counter, 3)
  // @ts-expect-error
  self.spawn(Counter, 'x')
  await self.call(pid, 'read')
  await self.call('any', 'thing', 4)
  const p2 = await self.startLink(Counter, 3, { place: 'any' })
  await self.call(p2, 'read')
  self.spawn(async (self) => {
    self.pid
  })
  return [n, m, o, r]
}
