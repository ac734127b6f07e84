// What the test kit's tests start.
import { genServer, type Pid, process } from 'beamish'

export const Counter = genServer('testing.counter', {
  init: (first: number) => ({ count: first }),
  handleCall: {
    read: (state) => state.count,
    async slowly(state, ms: number, self) {
      await self.sleep(ms)
      return state.count
    },
    async forReal() {
      await new Promise((resolve) => setTimeout(resolve, 1))
    },
  },
  handleCast: {
    add(state, n: number) {
      if (n < 0) throw new RangeError('only up')
      state.count += n
    },
    write(state, n: number) {
      state.count = n
    },
  },
  terminate() {},
})

/** Adds to a counter the wrong way: what others write between its read and its write is lost. */
export const Adder = process('testing.adder', async (self, to: { counter: Pid; done: Pid }) => {
  const count = (await self.call(to.counter, 'read')) as number
  self.cast(to.counter, 'write', count + 1)
  await self.call(to.counter, 'read')
  self.send(to.done, 'added')
})

/** Sends what it is told to, to whom it is told. */
export const Teller = process('testing.teller', async (self) => {
  for (;;) {
    const { to, text } = (await self.receive()) as { to: Pid; text: unknown }
    self.send(to, text)
  }
})

/** Says every so often what time it is. */
export const Clock = process('testing.clock', async (self, to: { pid: Pid; everyMs: number }) => {
  for (;;) {
    await self.sleep(to.everyMs)
    self.send(to.pid, self.now())
  }
})

/** For a task of any thread. */
export const seven = (): number => 7
