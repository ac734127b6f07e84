/**
 * One thread's part of what observe() tells, read from the records of its processes: no process is asked or waited for, and
 * none of it runs code of theirs. It goes through the process table in pieces, so that the thread never pauses for long; what
 * comes and goes meanwhile may be counted or not.
 */
import { getHeapStatistics } from 'node:v8'
import { type Pid, slotOf } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { Supervising } from '../supervisor/supervising.ts'
import type { ProcessFigures, ThreadCounts, Top } from './figures.ts'
import { Largest } from './largest.ts'
import type { LookOptions } from './options.ts'
import { bytesOf, figuresOf, type Litter, livesHere, type Shown, show } from './shown.ts'

export interface ThreadLook {
  readonly scheduler: number
  readonly processes: number
  readonly counts: ThreadCounts
  readonly shown: readonly Shown[]
  /** Parents that do not live here, and how many processes here each has started: pid, count, pid, count … */
  readonly elsewhere: Float64Array
  /** Pids of all supervisors here. */
  readonly supervisors: Float64Array
  /** Started by a supervisor of this thread. */
  readonly supervised: number
  readonly top: Top
}

/** What estimating memory may take, all in all. */
const MEMORY_BUDGET_MS = 20
/** A piece of the table, and after how many processes the clock is read. */
const PIECE_MS = 2
const PER_READING = 64
const COUNTED_TO = 2 ** 30

/** How many messages each process had handled by then, by slot. */
class Mark {
  at = 0
  handled = 0
  readonly #pids: Pid[] = []
  readonly #taken: number[] = []

  add({ pid, mailbox }: Process): void {
    const slot = slotOf(pid)
    this.#pids[slot] = pid
    this.#taken[slot] = mailbox.taken
  }

  /** Messages it has handled since; all of them, if it was born later. */
  since({ pid, mailbox }: Process): number {
    const slot = slotOf(pid)
    if (this.#pids[slot] !== pid) return mailbox.taken
    return (mailbox.taken - (this.#taken[slot] as number) + COUNTED_TO) % COUNTED_TO
  }
}

/** What one pass over the process table gathers. */
class Census {
  readonly litters = new Map<Pid, Litter>()
  readonly supervisors: Pid[] = []
  readonly byMailbox: Largest<Process>
  readonly byMessages: Largest<Process>
  readonly byMemory: Largest<Process>
  readonly weights = new Map<Process, number>()
  links = 0
  monitors = 0
  queued = 0
  processes = 0
  readonly #options: LookOptions
  readonly #mark: Mark | undefined
  readonly #now: () => number
  #weighingMs = 0
  #litter: Litter = { count: 0, first: [] }
  #litterOf: Pid | undefined

  constructor(options: LookOptions, mark: Mark | undefined, now: () => number) {
    this.#options = options
    this.#mark = mark
    this.#now = now
    this.byMailbox = new Largest(options.top)
    this.byMessages = new Largest(options.top)
    this.byMemory = new Largest(options.top)
  }

  add(process: Process): void {
    if (process.outside) return
    this.processes++
    this.links += process.links?.size ?? 0
    this.monitors += process.monitors?.size ?? 0
    const { length, taken } = process.mailbox
    this.queued += length
    this.byMailbox.offer(length, process)
    this.byMessages.offer(this.#mark === undefined ? taken : this.#mark.since(process), process)
    if (process.behaviour instanceof Supervising) this.supervisors.push(process.pid)
    this.#born(process)
    if (this.#options.memory && this.#weighingMs < MEMORY_BUDGET_MS) this.#weigh(process)
  }

  /** Most have the parent of the one before. */
  #born(process: Process): void {
    if (process.parent !== this.#litterOf) {
      this.#litterOf = process.parent
      this.#litter = this.litters.get(this.#litterOf) ?? { count: 0, first: [] }
      if (this.#litter.count === 0) this.litters.set(this.#litterOf, this.#litter)
    }
    if (this.#litter.count++ < this.#options.maxChildren) this.#litter.first.push(process)
  }

  #weigh(process: Process): void {
    const began = this.#now()
    const bytes = bytesOf(process)
    this.#weighingMs += this.#now() - began
    this.weights.set(process, bytes)
    this.byMemory.offer(bytes, process)
  }
}

/** With a window it looks twice. Only what is counted is read on the way: `tookMs` is the thread's own time. */
export async function look(scheduler: Scheduler, options: LookOptions): Promise<ThreadLook> {
  const { host, clock } = scheduler
  let tookMs = 0
  let mark: Mark | undefined
  if (options.windowMs > 0) {
    const first = new Mark()
    tookMs += await eachProcess(scheduler, (process) => first.add(process))
    first.at = host.now()
    first.handled = scheduler.handled
    await new Promise<void>((resolve) => {
      clock.set(options.windowMs, resolve)
    })
    mark = first
  }
  const census = new Census(options, mark, () => host.now())
  tookMs += await eachProcess(scheduler, (process) => census.add(process))
  return told(scheduler, options, census, mark, tookMs)
}

/** Resolves with the milliseconds it took, without what happened between its pieces. */
async function eachProcess(
  { slots, host }: Scheduler,
  visit: (process: Process) => void,
): Promise<number> {
  let tookMs = 0
  let began = host.now()
  for (let slot = 0, seen = 0; slot < slots.slots; slot++) {
    const process = slots.at(slot)
    if (process === undefined) continue
    visit(process)
    if (++seen % PER_READING !== 0 || host.now() - began < PIECE_MS) continue
    tookMs += host.now() - began
    await new Promise<void>((resolve) => host.soon(resolve))
    began = host.now()
  }
  return tookMs + host.now() - began
}

function told(
  scheduler: Scheduler,
  options: LookOptions,
  census: Census,
  mark: Mark | undefined,
  scannedMs: number,
): ThreadLook {
  const began = scheduler.host.now()
  const { litters, supervisors, weights } = census
  const figures = (process: Process): ProcessFigures => figuresOf(process, weights.get(process))
  const top = ({ items }: Largest<Process>): Top['mailbox'] =>
    items.map(({ value, item }) => ({ value, figures: figures(item) }))
  let supervised = 0
  const elsewhere: number[] = []
  for (const [parent, { count }] of litters) {
    if (!livesHere(scheduler, parent)) elsewhere.push(parent, count)
    else if (scheduler.find(parent)?.behaviour instanceof Supervising) supervised += count
  }
  const shown = show(scheduler, litters, figures, options)
  const { used_heap_size: heapUsedBytes, heap_size_limit: heapLimitBytes } = getHeapStatistics()
  const handled = scheduler.handled - (mark?.handled ?? 0)
  const seconds = mark === undefined ? Infinity : Math.max(0.001, (began - mark.at) / 1_000)
  return {
    scheduler: scheduler.id,
    processes: census.processes,
    shown,
    supervised,
    elsewhere: Float64Array.from(elsewhere),
    supervisors: Float64Array.from(supervisors),
    top: {
      mailbox: top(census.byMailbox),
      messages: top(census.byMessages),
      memory: top(census.byMemory),
    },
    counts: {
      supervisors: supervisors.length,
      hibernated: scheduler.sleepers.sleeping,
      runnable: scheduler.runnable,
      queued: census.queued,
      messages: scheduler.handled,
      messagesPerSecond: Math.round(handled / seconds),
      dropped: scheduler.dropped,
      timers: scheduler.clock.size - scheduler.sleepers.timers,
      links: census.links,
      monitors: census.monitors,
      heapUsedBytes,
      heapLimitBytes,
      measured: weights.size,
      tookMs: scannedMs + scheduler.host.now() - began,
    },
  }
}
