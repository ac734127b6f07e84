/**
 * PartitionSupervisor: N copies of one child, spread over the threads, so that no single process is everybody's bottleneck
 * (Elixir's PartitionSupervisor). A key leads to the same copy from everywhere. At the root it runs on main, so that a lost
 * thread costs the copies that were there and no others.
 */
import { BeamishError } from '../errors.ts'
import { defineBehaviour } from '../process/behaviour.ts'
import type { Name, Pid } from '../process/pid.ts'
import type { Process, StartResult } from '../process/process.ts'
import { Self } from '../process/self.ts'
import { fullKey } from '../registry/registries.ts'
import type { Board } from '../scheduler/board.ts'
import { hash32 } from '../scheduler/hash.ts'
import { checkName } from '../scheduler/names.ts'
import { type ChildOptions, type ChildSpec, checkChildSpec, childSpec } from './childSpec.ts'
import { MAX_RESTARTS, MAX_SECONDS, type SupervisorSpec, whole } from './spec.ts'
import { NOBODY } from './supervising.ts'
import { type ChildInfo, SupervisorBehaviour, SupervisorState } from './supervisor.ts'

export interface PartitionSupervisorOptions extends ChildOptions {
  /** Its registered name, and that of its partitions with their keys. */
  readonly name: string
  /** How many. Default: one per scheduler thread. */
  readonly partitions?: number
  /** More restarts than this within maxSeconds end the supervisor. Default 3. */
  readonly maxRestarts?: number
  /** Default 5. */
  readonly maxSeconds?: number
}

/** A partition and its process: undefined or restarting if it has none now. */
export interface Partition {
  readonly partition: number
  readonly pid: ChildInfo['pid']
}

/** The child spec of a partition supervisor, and how its partitions are found. */
export interface PartitionSupervisor extends ChildSpec {
  /**
   * The partition of a key, as a name: `self.call(sessions.via(self, userId), …)`. A whole number is taken modulo the number
   * of partitions, any other key by its hash.
   */
  via<P = unknown>(self: Self, key: string | number): Name<P>
  /** The partition that belongs to the caller's thread: on it, where there are at least as many partitions as threads. */
  local<P = unknown>(self: Self): Name<P>
  /** How many partitions there are. */
  count(self: Self): number
  /** The partitions in order, with their pids. */
  which(self: Self): Promise<Partition[]>
}

interface Settings {
  readonly child: ChildSpec
  readonly name: string
  /** 0: one per thread. */
  readonly partitions: number
  readonly maxRestarts: number
  readonly maxSeconds: number
}

/** What the root starts on main: it runs no code of an app. */
export const PARTITION_SUPERVISOR = 'beamish.partitionSupervisor'

const threadsOf = (board: Board): number => Math.max(1, board.slots - 1)
const countOf = (board: Board, partitions: number): number =>
  partitions === 0 ? threadsOf(board) : partitions

/** A key that leads to the thread slot of a partition: they are dealt out in turns. */
function placeOf(partition: number, threads: number): { readonly key: string } {
  const slot = partition % threads
  for (let i = 0; ; i++)
    if (hash32(`${slot}/${i}`) % threads === slot) return { key: `${slot}/${i}` }
}

/** A partition whose thread is being replaced: nobody waits for it, it comes later. */
const LATER: StartResult = { ok: false, reason: 'noproc', ignored: true }

class State extends SupervisorState {
  /** While it starts: ids of the partitions that have no thread yet. */
  late: Set<string> | undefined = new Set()
}

class PartitionSupervisorBehaviour extends SupervisorBehaviour {
  override readonly name: string = PARTITION_SUPERVISOR

  override async start(process: Process, argument: unknown): Promise<void> {
    const { child, name, partitions, maxRestarts, maxSeconds } = argument as Settings
    const { board } = process.scheduler
    const threads = threadsOf(board)
    const children = Array.from({ length: countOf(board, partitions) }, (_, i) => ({
      ...child,
      id: String(i),
      name: fullKey(name, i),
      place: placeOf(i, threads),
    }))
    const spec: SupervisorSpec = { strategy: 'one_for_one', children, maxRestarts, maxSeconds }
    const state = new State(spec)
    process.state = state
    await this.startChildren(process, children)
    const late = state.late
    state.late = undefined
    if (!process.alive) return
    for (const child of state.children) {
      if (late?.has(child.spec.id)) this.awaitPlace(process, child, [child])
    }
  }

  /** A thread that is replaced in order waits for what is moved from it: that must not wait for the replacement. */
  protected override async startPlaced(process: Process, spec: ChildSpec): Promise<StartResult> {
    const result = await super.startPlaced(process, spec)
    const { late } = process.state as State
    if (result !== NOBODY || late === undefined) return result
    late.add(spec.id)
    return LATER
  }
}

defineBehaviour(new PartitionSupervisorBehaviour())

/**
 * Describes a partition supervisor: the same child several times, by default once per scheduler thread, each on its thread.
 * What it returns is a child spec, and finds the partitions: declare it where those who use it can import it. A partition on a
 * lost thread comes back on the replacement, under the same key. Restarts count as those of any supervisor.
 *
 * @param child what each partition is; its own id, name and place are not used
 * @throws BEAMISH_BAD_OPTION, BEAMISH_BAD_CHILD, BEAMISH_NAME_INVALID
 *
 * @example
 * ```ts
 * import { genServer, partitionSupervisor, process, supervisor, task, taskSupervisor } from 'beamish'
 * const Session = genServer('doc-sessions', {
 *   init: () => new Map<string, number>(),
 *   handleCall: { visits: (state, user: string) => state.get(user) ?? 0 },
 * })
 * export const sessions = partitionSupervisor(Session.child(undefined), { name: 'sessions' })
 * export const tasks = partitionSupervisor(taskSupervisor(), { name: 'tasks' })
 * export const Page = process('doc-page', async (self, user: string) => {
 *   const visits = await self.call(Session.named(sessions.via(self, user)), 'visits', user)
 *   task.async(self, () => console.log(visits), { supervisor: tasks.local(self) }) // of this thread
 * })
 * export default supervisor({ children: [sessions, tasks] })
 * ```
 */
export function partitionSupervisor(
  child: ChildSpec,
  options: PartitionSupervisorOptions,
): PartitionSupervisor {
  checkChildSpec(child)
  const { name, partitions = 0 } = options
  checkName(name)
  if (child.place === 'each' || options.place === 'each') {
    const fix = 'its partitions are on all threads already: leave place out'
    throw new BeamishError('BEAMISH_BAD_CHILD', { child: `"${name}"`, fix })
  }
  const settings: Settings = {
    child,
    name,
    partitions: options.partitions === undefined ? 0 : whole('partitions', partitions, 1),
    maxRestarts: whole('maxRestarts', options.maxRestarts ?? MAX_RESTARTS, 0),
    maxSeconds: whole('maxSeconds', options.maxSeconds ?? MAX_SECONDS, 1),
  }
  const boardOf = (self: Self): Board => Self.processOf(self).scheduler.board
  const count = (self: Self): number => countOf(boardOf(self), settings.partitions)
  const via = (self: Self, key: string | number): Name<never> => {
    const n = count(self)
    const whole = typeof key === 'number' && Number.isInteger(key)
    const at = whole ? ((key % n) + n) % n : hash32(String(key)) % n
    return fullKey(name, at) as Name<never>
  }
  const find: Pick<PartitionSupervisor, 'via' | 'local' | 'count' | 'which'> = {
    via,
    local: (self) => via(self, Math.max(0, Self.processOf(self).scheduler.slot - 1)),
    count,
    which: async (self) => {
      const children = (await self.call(name, 'whichChildren')) as ChildInfo[]
      return children
        .map(({ id, pid }) => ({ partition: Number(id), pid: pid as Pid | undefined }))
        .sort((a, b) => a.partition - b.partition)
    },
  }
  const spec = childSpec(PARTITION_SUPERVISOR, settings, options, 'supervisor')
  // Not enumerable, so that the spec stays data that crosses threads.
  for (const [key, value] of Object.entries(find)) Object.defineProperty(spec, key, { value })
  return spec as PartitionSupervisor
}
