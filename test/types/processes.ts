// Arguments of spawn and start, pids and what they answer to, supervisors and their children. Checked by tsc.
import {
  type DownMessage,
  genServer,
  noreply,
  type Pid,
  process,
  reply,
  type Self,
  stop,
  stopWithReply,
  supervisor,
} from 'beamish'

const Server = genServer('types.server', {
  containStrays: true,
  init: (options: { limit: number }) => ({ count: 0, limit: options.limit }),
  handleCall: {
    read: (state) => state.count,
    where: (_state, _: undefined, self) => self.scheduler,
    maybe: (state, n: number) => (n > state.limit ? stopWithReply('normal', 'no') : reply(n)),
    later: () => noreply(),
    bye: () => stop('normal'),
  },
  handleCast: {
    add: (state, by: number) => {
      state.count += by
    },
  },
  handleInfo: {
    DOWN: (_state, message: DownMessage) => {
      message.ref
    },
  },
})
genServer('types.castReply', {
  init: () => 0,
  // @ts-expect-error a cast has no reply
  handleCast: { wrong: (state) => state + 1 },
})
genServer('types.callState', {
  init: () => 0,
  // @ts-expect-error the state is a number
  handleCall: { wrong: (state) => state.length },
})
const Echo = process<{ to: Pid }>('types.echo', (self, { to }) => self.send(to, 'up'))

export async function processes(self: Self): Promise<void> {
  const here = self.spawn(Server, { limit: 1 })
  const count: number = await self.call(here, 'read')
  const where: number = await self.call(here, 'where')
  const maybe: number | string = await self.call(here, 'maybe', 3)
  const later: unknown = await self.call(here, 'later')
  // @ts-expect-error a reply that comes later is unknown
  const wrong: number = await self.call(here, 'later')
  // @ts-expect-error the reply may be a string
  const number: number = await self.call(here, 'maybe', 3)
  // @ts-expect-error read takes no payload
  await self.call(here, 'read', 7)
  // @ts-expect-error a cast is no call
  await self.call(here, 'add', 1)
  // @ts-expect-error a call is no cast
  self.cast(here, 'read')
  // @ts-expect-error add takes a number
  self.cast(here, 'add')
  // @ts-expect-error the argument of init
  self.spawn(Server, { limit: '1' })
  // @ts-expect-error the argument of init
  await self.start(Server, undefined)
  // @ts-expect-error the argument of the body
  self.spawnLink(Echo, { to: 'name' })
  // @ts-expect-error elsewhere a spawn is a promise
  const pid: Pid = self.spawn(Server, { limit: 1 }, { place: 'any' })
  const elsewhere = await self.spawn(Server, { limit: 1 }, { place: { scheduler: 2 } })
  await self.call(elsewhere, 'read')
  const { pid: watched, ref } = self.spawnMonitor(Server, { limit: 1 })
  await self.call(watched, 'read')
  self.demonitor(ref)
  // @ts-expect-error a number is no pid
  self.send(7, 'message')
  // @ts-expect-error a pid is no ref
  self.demonitor(here)
  void [count, where, maybe, later, wrong, number, pid]
}

export const trees = [
  supervisor({ children: [Server.child({ limit: 1 }, { name: 'a', place: 'each' })] }),
  // @ts-expect-error the argument of init
  supervisor({ children: [Server.child({ limit: 'x' })] }),
  // @ts-expect-error a behaviour is no child
  supervisor({ children: [Server] }),
  supervisor({ strategy: 'rest_for_one', children: [supervisor({ children: [] })] }),
  // @ts-expect-error no such strategy
  supervisor({ strategy: 'one_for_some', children: [] }),
  // @ts-expect-error no such restart
  supervisor({ children: [Server.child({ limit: 1 }, { restart: 'always' })] }),
  // @ts-expect-error no such place
  supervisor({ children: [Server.child({ limit: 1 }, { place: 'there' })] }),
]

process('types.contained', (self) => self.receive(), { containStrays: true })
// @ts-expect-error an option is spelled as it is
process('types.misspelled', (self) => self.receive(), { containsStrays: true })
