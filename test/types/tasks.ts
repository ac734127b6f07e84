// What tasks, agents, registries and partitions tell TypeScript. Checked by tsc.
import {
  agent,
  duplicateRegistry,
  type ExitReason,
  genServer,
  type Pid,
  partitionSupervisor,
  type Self,
  type Task,
  task,
  uniqueRegistry,
} from 'beamish'

const Room = genServer('types.room', {
  init: () => ({ seats: 4 }),
  handleCall: { seats: (state) => state.seats },
})
const rooms = uniqueRegistry<{ topic: string }>('types.rooms')
const shared = partitionSupervisor(Room.child(undefined), { name: 'types.shared' })

export async function tasks(self: Self): Promise<void> {
  const one: Task<number> = task.async(self, (own) => own.scheduler)
  const value: number = await task.await(self, one)
  const named = task.async<string>(self, { module: import.meta.url, name: 'x' }, { place: 'any' })
  const text: string = await task.await(self, named)
  // @ts-expect-error the task is one of a number
  const wrong: string = await task.await(self, one)
  const result = await task.yield(self, one)
  if (result !== undefined && 'ok' in result) result.ok.toFixed()
  if (result !== undefined && 'exit' in result) result.exit satisfies ExitReason
  for await (const item of task.asyncStream(self, ['a'], (_own, letter) => letter.length)) {
    if ('ok' in item) item.ok.toFixed()
    else item.input?.toUpperCase()
  }
  const sum = await task.cpu<number>(self, import.meta.url, 'add', [1, 2], { timeoutMs: 1 })
  void [value, text, wrong, sum.toFixed()]
}

export async function agents(self: Self): Promise<void> {
  const cart = await agent.start(self, () => ['tea'])
  const length: number = await agent.get(self, cart, (items) => items.length)
  await agent.update(self, cart, (items) => [...items, 'milk'])
  // @ts-expect-error the state is a list of strings
  await agent.update(self, cart, () => 1)
  const first: string | undefined = await agent.getAndUpdate(self, cart, (items) => [items[0], []])
  void [length, first]
}

export async function registries(self: Self): Promise<void> {
  const seats: number = await self.call(Room.named(rooms.via('lobby')), 'seats')
  const topic: string | undefined = (await rooms.lookup(self, 'lobby'))?.value.topic
  // @ts-expect-error a room has a topic
  await rooms.register(self, 'lobby', { name: 'x' })
  rooms.updateValue(self, 'lobby', ({ topic }) => ({ topic: `${topic}!` }))
  const ears = duplicateRegistry<number>('types.ears')
  await ears.dispatch(self, 'k', (entries) => entries.map(({ value }) => value.toFixed()))
  const there: number = await self.call(Room.named(shared.via(self, 'user')), 'seats')
  const pids: (Pid | 'restarting' | undefined)[] = (await shared.which(self)).map((p) => p.pid)
  void [seats, topic, there, pids]
}
