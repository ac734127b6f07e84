/**
 * Watches every room channel from outside, and cleans up after it however it ends: a killed one runs no terminate. One janitor
 * stands on each thread, and each watches the rooms of all threads: those that are lost with their thread are missed by the
 * others. One that is started anew finds in the registry whom to watch, and the others tell it of the ends it did not see.
 * Each sees each end, so what is done about one must bear being done twice.
 */
import {
  duplicateRegistry,
  type ExitReason,
  genServer,
  type Name,
  type PartitionSupervisor,
  type Pid,
  partitionSupervisor,
  type Self,
} from 'beamish'

export interface End {
  readonly topic: string
  readonly reason: ExitReason
  /** Its own terminate, or somebody who watched it. */
  readonly source: 'terminate' | 'down'
}

/** An end with whom it is of and who saw it: told twice, it is noted once. */
type Noted = readonly [key: string, end: End]

/** Each with the topic as its key. */
const Rooms = duplicateRegistry('tour.rooms')

/** The latest, at most. */
const MAX_ENDS = 1_000

interface State {
  readonly topics: Map<Pid, string>
  readonly ends: Map<string, End>
}

const Janitor = genServer('tour.janitor', {
  async init(_: undefined, self): Promise<State> {
    const state: State = { topics: new Map(), ends: new Map() }
    for (const { pid, key } of await Rooms.select(self)) watch(state, self, pid, String(key))
    for (const janitor of everyJanitor(self)) self.cast(janitor, 'share', self.pid)
    return state
  },
  handleCall: {
    watch(state, { pid, topic }: { pid: Pid; topic: string }, self) {
      watch(state, self, pid, topic)
      return 'watched'
    },
    ends: (state) => [...state.ends],
  },
  handleCast: {
    note: (state, ends: readonly Noted[]) => note(state.ends, ends),
    share: (state, to: Pid, self) => self.cast(to, 'note', [...state.ends]),
  },
  handleInfo: {
    DOWN(state, { object, reason }) {
      const pid = object as Pid
      const topic = state.topics.get(pid)
      if (topic === undefined) return
      state.topics.delete(pid)
      note(state.ends, [[`${pid} down`, { topic, reason, source: 'down' }]])
    },
  },
})

/** For the supervisor of the app. */
export const janitors: PartitionSupervisor = partitionSupervisor(Janitor.child(undefined), {
  name: 'tour.janitors',
})

const everyJanitor = (self: Self): Name[] =>
  Array.from({ length: janitors.count(self) }, (_, n) => janitors.via(self, n))

function watch({ topics }: State, self: Self, pid: Pid, topic: string): void {
  if (topics.has(pid)) return
  topics.set(pid, topic)
  self.monitor(pid)
}

function note(ends: Map<string, End>, more: readonly Noted[]): void {
  for (const [key, end] of more) {
    // noproc: it was gone when the watch began. Somebody else may know why.
    if ((ends.get(key)?.reason ?? 'noproc') === 'noproc') ends.set(key, end)
    if (ends.size > MAX_ENDS) ends.delete(ends.keys().next().value as string)
  }
}

/** Has the calling room watched until it ends. In this order: a janitor that is not there yet will find it in the registry. */
export async function watchRoom(self: Self, topic: string): Promise<void> {
  Rooms.register(self, topic)
  await askAll(self, 'watch', { pid: self.pid, topic })
}

/** Tells how the calling room ends, as its own terminate sees it. */
export function noteEnd(self: Self, topic: string, reason: ExitReason): void {
  const ends: readonly Noted[] = [[`${self.pid} terminate`, { topic, reason, source: 'terminate' }]]
  for (const janitor of everyJanitor(self)) self.cast(janitor, 'note', ends)
}

/** All ends that any janitor knows of. */
export async function allEnds(self: Self): Promise<End[]> {
  const ends = new Map<string, End>()
  for (const known of await askAll(self, 'ends')) note(ends, known as readonly Noted[])
  return [...ends.values()]
}

/** Calls all janitors; one that is just being started anew answers nothing. */
async function askAll(self: Self, event: string, payload?: unknown): Promise<unknown[]> {
  const asked = everyJanitor(self).map((janitor) => self.call(janitor, event, payload))
  const answers = await Promise.allSettled(asked)
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
}
