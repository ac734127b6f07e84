// Functions for tasks on any thread, and owners of tasks that can be watched.
import {
  dynamicSupervisor,
  type Exit,
  type Pid,
  process,
  type Self,
  supervisor,
  task,
  taskSupervisor,
} from 'beamish'

export const MODULE = import.meta.url

const here = (name: string, ...args: unknown[]) => ({ module: MODULE, name, args })

export const give = (_self: Self, value: unknown): unknown => value
export const where = (self: Self): number => self.scheduler
export const fail = (_self: Self, message: string): never => {
  throw new Error(message)
}
export const leave = (self: Self, reason: string): never => self.exit(reason)
export const callers = (self: Self): readonly Pid[] => self.callers
export const callersOfInner = async (self: Self): Promise<unknown> => {
  const inner = task.async(self, (own) => [own.pid, own.callers])
  const [pid, chain] = await task.await(self, inner)
  return { own: self.pid, pid, chain }
}
export const parentOf = (self: Self): Pid => self.parent
/** Tells `to` who it is and waits for a message, which is what it returns. */
export const waits = async (self: Self, to: Pid): Promise<unknown> => {
  self.send(to, { type: 'waiting', pid: self.pid })
  return self.receive()
}
/** The same, and takes no shutdown. */
export const resists = async (self: Self, to: Pid): Promise<unknown> => {
  self.trapExit(true)
  self.send(to, { type: 'waiting', pid: self.pid })
  return self.receive((m) => (m as { type?: string }).type !== 'EXIT')
}
export const strays = async (self: Self): Promise<unknown> => {
  void Promise.reject(new Error('nobody awaits it'))
  return self.receive()
}
export const uncloneable = (): unknown => () => {}

/** Starts a linked task under a supervisor, and stays. */
export const startsLinked = async (self: Self, to: Pid): Promise<unknown> => {
  await task.startLink(self, here('waits', to), { supervisor: 'tasks' })
  return self.receive()
}
/** Starts a linked task that fails, and stays. */
export const ownsAFailure = async (self: Self, to: Pid, place: unknown): Promise<unknown> => {
  task.async(self, here('fail', 'boom'), { place: place as 'here' })
  self.send(to, { type: 'waiting', pid: self.pid })
  return self.receive()
}
/** Awaits a task that does not answer in time; then says what its mailbox holds behind a late answer. */
export const awaitsInVain = async (self: Self, place: unknown): Promise<unknown> => {
  const late = task.async(self, here('waits', self.pid), { place: place as 'here' })
  const waiting = (await self.receive()) as { pid: Pid }
  const timedOut = await task.await(self, late, { timeoutMs: 0 }).catch((e: Exit) => e.reason)
  const ref = self.monitor(waiting.pid)
  self.send(waiting.pid, 'answer')
  const down = (await self.receive()) as { type: string; ref: unknown; reason: unknown }
  return {
    timedOut: (timedOut as { reason?: unknown }).reason,
    down: [down.type, down.ref === ref, down.reason],
    left: await self.receive(() => true, 0),
  }
}
/** Runs a stream that it is killed, or ends, in the middle of. */
export const streams = async (
  self: Self,
  to: Pid,
  place: unknown,
  link: boolean,
): Promise<void> => {
  const run = link ? task.asyncStream : task.asyncStreamNoLink
  const options = { place: place as 'here', maxConcurrency: 2, timeoutMs: 60_000 }
  for await (const _ of run(self, [to, to, to], here('waits'), options));
}
/** For streams: the item is what it does. */
export const doItem = async (self: Self, item: number): Promise<number> => {
  if (item < 0) throw new Error(`${item}`)
  if (item >= 1_000) await self.receive()
  return item * 2
}

export const Owner = process<{ run: string; args: unknown[] }>(
  'test.taskOwner',
  async (self, { run, args }) => {
    const functions: Record<string, (self: Self, ...args: never[]) => unknown> = {
      ownsAFailure,
      streams,
    }
    await functions[run]?.(self, ...(args as never[]))
  },
)

export default supervisor({
  children: [
    taskSupervisor({ name: 'tasks', maxChildren: 3 }),
    dynamicSupervisor({ name: 'others' }),
  ],
})
