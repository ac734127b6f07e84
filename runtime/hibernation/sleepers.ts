/**
 * Hibernation on one scheduler: finds who is idle (idleWheel.ts) and puts them to rest, a few at a time between turns. What a
 * process that hibernates gives back: its state, serialized where that pays (codec.ts), and everything of its record that is
 * made anew on first use.
 */
import { publish } from '../events.ts'
import { formatPid } from '../process/pid.ts'
import { type Process, Status } from '../process/process.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { Attended } from '../sys/attended.ts'
import { Asleep, KEPT } from './asleep.ts'
import { rest } from './codec.ts'
import { IdleWheel, SPOKES } from './idleWheel.ts'
import { Owners } from './survey.ts'

/** A wheel turns no faster than this. */
const MIN_TICK_MS = 5
/** At most so much time is spent on it in one go, or on so many processes if the clock stands still ... */
const BUDGET_MS = 1
const BUDGET_PROCESSES = 16
/** ... and so much is left for others until the next one. */
const PAUSE_MS = 3

/** Those who may be idle equally long. Turns while somebody is on its wheel. */
export interface IdleWatch {
  readonly wheel: IdleWheel<Process>
  readonly tickMs: number
  turning: boolean
}

export class Sleepers {
  readonly #scheduler: Scheduler
  readonly #watches = new Map<number, IdleWatch>()
  readonly #drowsy = new Set<Process>()
  readonly #owners = new Owners()
  /** Behaviours whose state turned out not to be data: told once each. */
  readonly #told = new Set<string>()
  #due = false
  #sleeping = 0
  #timers = 0

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** Processes that hibernate now. */
  get sleeping(): number {
    return this.#sleeping
  }

  /** Timers of its own: they come and go with who is awake. */
  get timers(): number {
    return this.#timers
  }

  #after(delayMs: number, run: () => void): void {
    this.#timers++
    this.#scheduler.clock.set(delayMs, () => {
      this.#timers--
      run()
    })
  }

  /** From now on the process hibernates whenever it was idle for that long, at most twice as long. */
  watch(process: Process, afterMs: number): void {
    if (afterMs === Number.POSITIVE_INFINITY || process.status === Status.Dead) return
    let watch = this.#watches.get(afterMs)
    if (watch === undefined) {
      const tickMs = Math.max(MIN_TICK_MS, afterMs / SPOKES)
      watch = { wheel: new IdleWheel(), tickMs, turning: false }
      this.#watches.set(afterMs, watch)
    }
    process.idleWatch = watch
    this.#join(process, watch)
  }

  #join(process: Process, watch: IdleWatch): void {
    watch.wheel.add(process, process.ranIn)
    if (!watch.turning) this.#turnLater(watch)
  }

  #turnLater(watch: IdleWatch): void {
    watch.turning = true
    this.#after(watch.tickMs, () => {
      watch.wheel.turn(this.#look)
      if (watch.wheel.size > 0) this.#turnLater(watch)
      else watch.turning = false
    })
  }

  /** The process hibernates as soon as it has nothing to do. */
  soon(process: Process): void {
    this.#drowsy.add(process)
    this.#schedule(0)
  }

  /** It has ended. */
  forget(process: Process): void {
    process.idleWatch?.wheel.remove(process)
    this.#drowsy.delete(process)
    if (process.attendant?.hibernated === true) this.#sleeping--
  }

  /** A message, or sys, has woken it. */
  woken(process: Process): void {
    if (process.status === Status.Dead) return
    this.#sleeping--
    if (process.idleWatch !== undefined) this.#join(process, process.idleWatch)
  }

  /** One that was idle and stayed awake is marked by a negative number, until it has done something. */
  readonly #look = (process: Process, mark: number): number | undefined => {
    if (process.status === Status.Dead) return undefined
    const did = process.ranIn
    if (did !== mark && did !== -1 - mark) return did
    if (mark < 0 || !mayRest(process)) return mark
    this.soon(process)
    return -1 - mark
  }

  #schedule(delayMs: number): void {
    if (this.#due) return
    this.#due = true
    if (delayMs === 0) this.#scheduler.atTurnEnd(this.#some)
    else this.#after(delayMs, this.#some)
  }

  readonly #some = (): void => {
    this.#due = false
    const { host } = this.#scheduler
    const end = host.now() + BUDGET_MS
    let left = BUDGET_PROCESSES
    for (const process of this.#drowsy) {
      this.#drowsy.delete(process)
      if (mayRest(process)) this.#put(process)
      if (--left === 0 || host.now() > end) break
    }
    if (this.#drowsy.size > 0) this.#schedule(PAUSE_MS)
  }

  #put(process: Process): void {
    const { data } = process.behaviour
    let asleep = KEPT
    if (data !== undefined) {
      const state = data.rest === undefined ? data.get(process) : data.rest.look(process)
      const result = rest(state, process.pid, this.#owners)
      if (result.kind === 'unserializable') {
        this.#tell(process, result.path, result.what)
        return
      }
      if (result.kind === 'encoded') {
        asleep = new Asleep(result.encoded)
        if (data.rest === undefined) data.set(process, undefined)
        else data.rest.leave(process)
      }
    }
    process.compact()
    process.idleWatch?.wheel.remove(process)
    this.#sleeping++
    if (process.attendant instanceof Attended) process.attendant.asleep = asleep
    else process.attendant = asleep
  }

  #tell(process: Process, path: string, what: string): void {
    const { behaviour, pid } = process
    const name = behaviour.describe?.(process) ?? behaviour.name
    if (this.#told.has(name)) return
    this.#told.add(name)
    publish('notice', () => ({
      level: 'warn',
      code: 'stays_awake',
      message: `${name} ${formatPid(pid)} cannot hibernate: ${path} is ${what}; keep data in the state, or leave hibernation off (told once per behaviour)`,
      behaviour: name,
      path,
      what,
    }))
  }
}

/** It waits for a message and for nothing else: what awaits an answer may still change the state it has in its hands. */
function mayRest(process: Process): boolean {
  const { attendant } = process
  return (
    process.status === Status.Idle &&
    process.behaviour.delivery === 'handle' &&
    process.mailbox.length === 0 &&
    !process.awaits &&
    (attendant === undefined || !(attendant.hibernated || attendant.suspended || attendant.urgent))
  )
}
