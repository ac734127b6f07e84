// What the sys tests look into, on any thread.
import {
  type CodeChange,
  dynamicSupervisor,
  genServer,
  noreply,
  type Pid,
  process,
  reply,
  supervisor,
} from 'beamish'

export interface Held {
  log: unknown[]
  count: number
}

export const Box = genServer('test.sys.box', {
  init: ({ witness, timeoutMs }: { witness: Pid; timeoutMs?: number }) =>
    noreply(
      { witness, log: [] as unknown[], count: 0 },
      timeoutMs === undefined ? {} : { timeoutMs },
    ),
  handleCall: {
    count: (state) => state.count,
    log: (state) => [...state.log],
    wait: (state, timeoutMs: number) => reply('waiting', state, { timeoutMs }),
    slow: async (_state, ms: number, self) => {
      await self.sleep(ms)
      return 'slow'
    },
  },
  handleCast: {
    note: (state, what: unknown) => {
      state.log.push(what)
    },
    add: (state, n: number) => {
      state.count += n
    },
    holdFunction: (state) => {
      Object.assign(state, { run: () => 1 })
    },
  },
  handleInfo: {
    timeout: (state, _message, self) => {
      self.send(state.witness, { type: 'timed out', pid: self.pid })
    },
  },
  terminate: (reason, { witness }, self) => {
    self.send(witness, { type: 'terminated', pid: self.pid, reason })
  },
})

/** The same, trapping exits, and shy. */
export const Shy = genServer('test.sys.shy', {
  trapExit: true,
  init: ({ witness, password }: { witness: Pid; password: string }) => ({ witness, password }),
  handleCall: {
    login: (_state, _credentials: { user: string; password: string }) => 'ok',
    crash: (_state, _credentials: { user: string; password: string }): string => {
      throw new Error('no such user')
    },
  },
  formatStatus: ({ state, reason }) => ({
    state: { password: `${state.password.length} letters` },
    message: 'hidden',
    ...(reason === undefined ? {} : { reason }),
  }),
  terminate: (reason, { witness }, self) => {
    self.send(witness, { type: 'terminated', pid: self.pid, reason })
  },
})

/** Its formatStatus fails. */
export const Clumsy = genServer('test.sys.clumsy', {
  init: (secret: string) => ({ secret }),
  formatStatus: () => {
    throw new Error('clumsy')
  },
})

export const Raw = process('test.sys.raw', async (self) => {
  await self.receive()
})

/** For sys.replaceState of a process on another thread. */
export const addTo = (state: { count: number }, n: number): object => ({
  ...state,
  count: state.count + n,
})
export const failing = (): never => {
  throw new RangeError('cannot')
}
export const inPlace = (state: { count: number }): undefined => {
  state.count = 1_000
}

export const Versioned = genServer('test.sys.versioned', {
  init: (count: number) => ({ count }),
  handleCall: { read: (state): unknown => state.count },
  codeChange: (state, change: CodeChange) => {
    throw new Error(`version 1 is not asked: ${JSON.stringify([state, change])}`)
  },
})

export default supervisor({ children: [dynamicSupervisor({ name: 'sys.dynamic' })] })
