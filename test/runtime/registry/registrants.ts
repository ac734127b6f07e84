// A process that registers, subscribes and broadcasts as it is told, on whichever thread it is, and keeps what it hears.
import {
  type BroadcastMessage,
  duplicateRegistry,
  genServer,
  noreply,
  type Pid,
  process,
  supervisor,
  topic,
  uniqueRegistry,
} from 'beamish'

export const rooms = uniqueRegistry('rooms')
export const others = uniqueRegistry('others')
export const listeners = duplicateRegistry('listeners')
export const news = topic<{ line: number; other: string }>('news')

type Key = string | number

export const Registrant = genServer('test.registrant', {
  init: (_: undefined) => ({ heard: [] as unknown[] }),
  handleCall: {
    claim: async (_state, key: Key, self) => {
      try {
        await rooms.register(self, key)
        return 'ok' as const
      } catch (error) {
        const { code, fields } = error as { code: string; fields: { owner: Pid } }
        return { code, owner: fields.owner }
      }
    },
    claimOther: async (_state, key: Key, self) => {
      await others.register(self, key)
      return 'ok' as const
    },
    giveUp: (_state, key: Key, self) => {
      rooms.unregister(self, key)
      return 'ok' as const
    },
    find: (_state, key: Key, self) => rooms.whereis(self, key),
    join: (_state, { key, value }: { key: Key; value?: unknown }, self) => {
      listeners.register(self, key, value)
      return 'ok' as const
    },
    leave: (_state, key: Key, self) => {
      listeners.unregister(self, key)
      return 'ok' as const
    },
    entries: (_state, key: Key, self) => listeners.lookup(self, key),
    dispatch: (_state, { key, message }: { key: Key; message: unknown }, self) => {
      listeners.dispatch(self, key, message)
      return 'ok' as const
    },
    subscribe: (_state, name: string, self) => {
      self.subscribe(name)
      return 'ok' as const
    },
    unsubscribe: (_state, name: string, self) => {
      self.unsubscribe(name)
      return 'ok' as const
    },
    heard: (state) => state.heard,
    where: (_state, _: undefined, self) => self.scheduler,
  },
  handleCast: {
    broadcast: (_state, { to, line }: { to: string; line: number }, self) => {
      self.broadcast(to, 'line', line)
    },
    broadcastFrom: (_state, { to, line, but }: { to: string; line: number; but?: Pid }, self) => {
      self.broadcastFrom(to, 'line', line, but)
    },
    localBroadcast: (_state, { to, line }: { to: string; line: number }, self) => {
      self.localBroadcast(to, 'line', line)
    },
    /** Sends and broadcasts in turns, so that their order shows. */
    interleave: (_state, { to, pid, lines }: { to: string; pid: Pid; lines: number }, self) => {
      for (let i = 0; i < lines; i++) {
        if (i % 2 === 0) self.broadcast(to, 'line', i)
        else self.send(pid, { type: 'line', line: i })
      }
    },
  },
  handleInfo: (state, message) => {
    const { type, line } = message as { type?: string; line?: number }
    if (type === 'broadcast') state.heard.push((message as BroadcastMessage).payload)
    else if (type === 'line') state.heard.push(line)
    else state.heard.push(message)
    return noreply()
  },
})

/** Broadcasts to whoever says it has joined, at once. */
export const Greeter = genServer('test.greeter', {
  init: (_: undefined) => ({ from: 0 }),
  handleCast: {
    joined: (_state, name: string, self) => {
      self.broadcast(name, 'welcome', name)
    },
  },
})

/** Joins topics one after the other; each time it awaits the broadcast that answers. */
export const Joiner = process<{ greeter: Pid; report: Pid; rounds: number }>(
  'test.joiner',
  async (self, { greeter, report, rounds }) => {
    let got = 0
    for (let i = 0; i < rounds; i++) {
      const name = `round ${i}`
      self.subscribe(name)
      self.cast(greeter, 'joined', name)
      const welcome = await self.receive(
        (m): m is BroadcastMessage => (m as BroadcastMessage).type === 'broadcast',
        2_000,
      )
      if (welcome?.payload === name) got++
      self.unsubscribe(name)
    }
    self.send(report, { type: 'joined', got })
  },
)

export default supervisor({ children: [] })
