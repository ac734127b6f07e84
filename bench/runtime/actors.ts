/** The processes of `npm run bench -- runtime` on this side: each does so much of one case, then tells `done`. */
import { type ChildSpec, duplicateRegistry, genServer, type Pid, type Self } from 'beamish'

/** Starts a driver: `left` operations, then a message to `done`. */
export interface Begin {
  readonly type: 'begin'
  readonly left: number
  readonly done: Pid
}

interface Work {
  left: number
  done: Pid | undefined
}

const idle = (): Work => ({ left: 0, done: undefined })

const begin = (work: Work, { left, done }: Begin): void => {
  work.left = left
  work.done = done
}

/** One operation is through: whether there are more. */
function goesOn(work: Work, self: Self): boolean {
  if (--work.left > 0) return true
  self.send(work.done as Pid, 'done')
  return false
}

const Pong = genServer('bench.pong', {
  init: (_: undefined) => 0,
  handleInfo: {
    ping(_state, message: { readonly from: Pid }, self) {
      self.send(message.from, { type: 'pong', from: self.pid })
    },
  },
})

export const Ping = genServer('bench.ping', {
  init: (_: undefined, self) => ({ ...idle(), pong: self.spawn(Pong, undefined) }),
  handleInfo: {
    begin(state, message: Begin, self) {
      begin(state, message)
      self.send(state.pong, { type: 'ping', from: self.pid })
    },
    pong(state, _message, self) {
      if (goesOn(state, self)) self.send(state.pong, { type: 'ping', from: self.pid })
    },
  },
})

const nothing = (): void => {}

/** Spawns one that ends at once, again and again. */
export const Spawner = genServer('bench.spawner', {
  init: (_: undefined) => idle(),
  handleInfo: {
    begin(state, message: Begin, self) {
      begin(state, message)
      self.spawnMonitor(nothing)
    },
    DOWN(state, _message, self) {
      if (goesOn(state, self)) self.spawnMonitor(nothing)
    },
  },
})

export const Counter = genServer('bench.counter', {
  init: (first: number) => ({ count: first }),
  handleCall: { read: (state) => state.count },
  handleCast: {
    add(state, n: number) {
      state.count += n
    },
  },
})

export const startCounter = (self: Self, scheduler: number) =>
  self.start(Counter, 0, { place: { scheduler } })
type CounterPid = Awaited<ReturnType<typeof startCounter>>

/** One call after the other. */
export const Caller = genServer('bench.caller', {
  init: (counter: CounterPid) => counter,
  handleInfo: {
    async begin(counter, { left, done }: Begin, self) {
      for (let i = 0; i < left; i++) await self.call(counter, 'read')
      self.send(done, 'done')
    },
  },
})

/** Never more than this many wait: every sender needs some such bound. */
const WINDOW = 1_000

export const Caster = genServer('bench.caster', {
  init: (counter: CounterPid) => counter,
  handleInfo: {
    async begin(counter, { left, done }: Begin, self) {
      for (let i = 1; i <= left; i++) {
        self.cast(counter, 'add', 1)
        if (i % WINDOW === 0) await self.call(counter, 'read')
      }
      await self.call(counter, 'read')
      self.send(done, 'done')
    },
  },
})

/** Hands a hop on to the next; the one that was told to begin counts the rounds. */
export const Member = genServer('bench.member', {
  init: (next: Pid | undefined) => ({ ...idle(), next }),
  handleInfo: {
    close(state, { next }: { readonly next: Pid }) {
      state.next = next
    },
    begin(state, message: Begin, self) {
      begin(state, message)
      self.send(state.next as Pid, { type: 'hop' })
    },
    hop(state, message: { readonly type: 'hop' }, self) {
      if (state.done === undefined || goesOn(state, self)) self.send(state.next as Pid, message)
    },
  },
})

const members = duplicateRegistry('bench.members')

/** Hears events, and tells of the last of a round. */
export const Receiver = genServer('bench.receiver', {
  init(_: undefined, self) {
    members.register(self, 'all')
    return { heard: 0 }
  },
  handleInfo: {
    event(state) {
      state.heard++
    },
    last(_state, { from }: { readonly from: Pid }, self) {
      self.send(from, 'done')
    },
  },
})

export interface Audience {
  readonly receivers: readonly Pid[]
  /** One of each thread, the last to be told: when it has heard all of its thread have. */
  readonly lasts: readonly Pid[]
  readonly by: 'send' | 'dispatch'
}

/** Rounds of one event to everybody; the next one starts when all have heard it. */
export const Sender = genServer('bench.sender', {
  init: (audience: Audience) => ({ ...idle(), ...audience, waits: 0 }),
  handleInfo: {
    begin(state, message: Begin, self) {
      begin(state, message)
      state.waits = tell(state, self)
    },
    done(state, _message, self) {
      if (--state.waits === 0 && goesOn(state, self)) state.waits = tell(state, self)
    },
  },
})

function tell({ receivers, lasts, by }: Audience, self: Self): number {
  if (by === 'dispatch') members.dispatch(self, 'all', { type: 'event' })
  else for (const to of receivers) self.send(to, { type: 'event' })
  for (const to of lasts) self.send(to, { type: 'last', from: self.pid })
  return lasts.length
}

export const Timers = genServer('bench.timers', {
  init: (_: undefined) => 0,
  handleInfo: {
    begin(_state, { left, done }: Begin, self) {
      for (let i = 0; i < left; i++) self.cancelTimer(self.sendAfter(60_000, 'late'))
      self.send(done, 'done')
    },
  },
})

const Child = genServer('bench.child', {
  init(parent: Pid, self) {
    self.send(parent, { type: 'up', pid: self.pid })
    return 0
  },
})

/** Name of the supervisor whose children are killed. */
export const TREE = 'bench.tree'

/** Kills all children of the tree whenever all of them are up. */
export const Killer = genServer('bench.killer', {
  async init(children: number, self) {
    const spec: ChildSpec = Child.child(self.pid, { shutdown: 'brutal_kill' })
    for (let i = 0; i < children; i++) await self.call(TREE, 'startChild', spec)
    return { ...idle(), children, up: [] as Pid[] }
  },
  handleInfo: {
    begin(state, message: Begin, self) {
      begin(state, message)
      if (state.up.length === state.children) kill(state, self)
    },
    up(state, { pid }: { readonly pid: Pid }, self) {
      state.up.push(pid)
      if (state.up.length < state.children || state.done === undefined) return
      if (goesOn(state, self)) kill(state, self)
      else state.done = undefined
    },
  },
})

function kill(state: { up: Pid[] }, self: Self): void {
  const { up } = state
  state.up = []
  for (const pid of up) self.exit(pid, 'kill')
}
