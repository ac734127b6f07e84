/** Which processes of a thread observe() shows, and their figures: level by level from the top of the tree. */
import { Asleep } from '../hibernation/asleep.ts'
import { formatPid, type Pid, schedulerOf } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { heldBytes } from '../scheduler/heapLimit.ts'
import { statusOf } from '../scheduler/info.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { Restart } from '../supervisor/childSpec.ts'
import { Supervising } from '../supervisor/supervising.ts'
import { Attended } from '../sys/attended.ts'
import type { ProcessFigures } from './figures.ts'
import type { LookOptions } from './options.ts'

/** A child as its supervisor has written it down. */
export interface KeptChild {
  readonly id: string
  readonly restart: Restart
  readonly behaviour: string
  readonly supervisor: boolean
  readonly pid: Pid | undefined
  readonly restarting: boolean
}

/** A process that is shown, and what it is known to have started on this thread. */
export interface Shown {
  readonly figures: ProcessFigures
  /** Name of its behaviour. */
  readonly kind: string
  /** Children on this thread, shown or not. */
  readonly started: number
  /** Of a supervisor: the first of its children, in order. */
  readonly kept: readonly KeptChild[]
  /** Children it keeps without a process, all of them. */
  readonly absent: number
}

const MAX_BYTES = 2 * 2 ** 20

/** Children of one parent on a thread: how many, and the first of them. */
export interface Litter {
  count: number
  readonly first: Process[]
}

/** Whether a process of this thread is alive, and none that only stands for the outside. */
export const livesHere = (scheduler: Scheduler, pid: Pid): boolean =>
  schedulerOf(pid) === scheduler.id && scheduler.find(pid)?.outside === false

/** As far as this thread can tell who is near the top: by the number of ancestors. */
export function show(
  scheduler: Scheduler,
  litters: ReadonlyMap<Pid, Litter>,
  figures: (process: Process) => ProcessFigures,
  { maxChildren, maxProcesses }: LookOptions,
): Shown[] {
  const levels: Process[][] = []
  const chosen = new Set<Process>()
  const choose = (process: Process, level: number): void => {
    if (chosen.has(process) || chosen.size >= maxProcesses || !process.alive) return
    chosen.add(process)
    const there = levels[level]
    if (there === undefined) levels[level] = [process]
    else there.push(process)
  }
  const tops = [...litters].flatMap(([parent, { first }]) =>
    livesHere(scheduler, parent) ? [] : first,
  )
  tops.sort((a, b) => a.ancestors.length - b.ancestors.length)
  let next = 0
  const shown: Shown[] = []
  // An array with holes: levels nobody is at.
  for (let level = 0; level < levels.length || next < tops.length; level++) {
    for (; next < tops.length && (tops[next] as Process).ancestors.length <= level; next++) {
      choose(tops[next] as Process, level)
    }
    for (const process of levels[level] ?? []) {
      const litter = litters.get(process.pid)
      const { kept, absent } = keptBy(process, maxChildren)
      const started = litter?.count ?? 0
      shown.push({ figures: figures(process), kind: process.behaviour.name, started, kept, absent })
      let room = maxChildren
      for (const { pid } of kept) {
        const child = pid === undefined ? undefined : scheduler.find(pid)
        if (child !== undefined && room-- > 0) choose(child, level + 1)
      }
      for (const child of litter?.first ?? []) {
        if (child.alive && !chosen.has(child) && room-- > 0) choose(child, level + 1)
      }
    }
  }
  return shown
}

function keptBy(
  process: Process,
  max: number,
): { readonly kept: KeptChild[]; readonly absent: number } {
  const kept: KeptChild[] = []
  let absent = 0
  if (!(process.behaviour instanceof Supervising)) return { kept, absent }
  // In between its messages nobody is on the way: what has no process then stays without.
  const busy = !['waiting', 'hibernated', 'suspended'].includes(statusOf(process))
  for (const { spec, pid, retry } of process.behaviour.kept(process)) {
    // One placed `each` has no process of its own: those of its threads stand under their supervisors.
    if (pid === process.pid) continue
    if (pid === undefined) absent++
    if (kept.length >= max) continue
    kept.push({
      id: spec.id,
      restart: spec.restart,
      behaviour: spec.behaviour,
      supervisor: spec.type === 'supervisor',
      pid,
      restarting: pid === undefined && (retry !== undefined || busy),
    })
  }
  return { kept, absent }
}

export function figuresOf(process: Process, bytes: number | undefined): ProcessFigures {
  const { pid, behaviour } = process
  return {
    pid,
    process: formatPid(pid),
    name: process.name,
    behaviour: behaviour.describe?.(process) ?? behaviour.name,
    scheduler: process.scheduler.id,
    parent: process.parent,
    supervisor: behaviour instanceof Supervising,
    status: statusOf(process),
    messages: process.mailbox.taken,
    mailboxLength: process.mailbox.length,
    dropped: process.dropped,
    links: process.links?.size ?? 0,
    monitors: process.monitors?.size ?? 0,
    bytes,
  }
}

export function bytesOf(process: Process): number {
  const { attendant } = process
  const asleep = attendant instanceof Attended ? attendant.asleep : attendant
  const resting = asleep instanceof Asleep ? (asleep.encoded?.bytes.length ?? 0) : 0
  return resting + heldBytes(process, MAX_BYTES)
}
