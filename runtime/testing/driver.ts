/**
 * Drives a simulation from within a test's own awaits: whenever there is something to do it does one step, lets every promise
 * that settled run on, and does the next, until nothing is left at this time. Time moves when somebody waits for it.
 */
import { BeamishError } from '../errors.ts'
import { reasonOf, safeText } from '../exit/reason.ts'
import { describeMessage } from '../process/messages.ts'
import { formatPid } from '../process/pid.ts'
import { type Process, Status } from '../process/process.ts'
import type { Simulation } from './simulation.ts'

/** Steps after which I/O of the test's own process gets its chance. */
const BREATH = 1_024

/** Something a test awaits. */
export interface Waiter {
  /** Looks whether it has come, and settles then. */
  check(): boolean
  /** It did not come: nothing is left to happen, or its time is up. */
  missed(why: string): void
  failed(error: Error): void
  /** Virtual time at which it is missed. */
  readonly deadline: number
}

interface Advance {
  readonly to: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export interface DriverOptions {
  readonly autoAdvance: boolean
  readonly maxSteps: number
}

/** Resolves when no promise is left that could go on: ticks come after all of them. */
const promisesSettled = (): Promise<void> =>
  new Promise((resolve) => {
    queueMicrotask(() => process.nextTick(resolve))
  })

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export class Driver {
  readonly #simulation: Simulation
  readonly #options: DriverOptions
  readonly #outside: () => Process
  readonly #waiters = new Set<Waiter>()
  readonly #idles: Advance[] = []
  readonly #advances: Advance[] = []
  readonly #told = new Set<Process>()
  readonly #receives = new Set<(error: Error) => void>()
  /** A process that awaits something real was seen when nobody could be told. */
  #owed: Error | undefined
  #running = false
  #closed = false
  #steps = 0

  constructor(simulation: Simulation, options: DriverOptions, outside: () => Process) {
    this.#simulation = simulation
    this.#options = options
    this.#outside = outside
  }

  /** There may be something to do. */
  readonly stir = (): void => {
    // Asked of a node that is closed: told once whoever asks has begun to wait.
    if (this.#closed) queueMicrotask(() => this.#refuse())
    if (this.#running || this.#closed) return
    this.#running = true
    void this.#run()
  }

  close(): void {
    this.#closed = true
    this.#refuse()
    for (const reject of this.#receives) reject(stopped())
    this.#receives.clear()
  }

  /** Main has its turn, and nothing comes of it: only so will it ask for the next one, which is how a later call is noticed. */
  #refuse(): void {
    this.#simulation.thread(0).turn()
    this.#fail(stopped())
  }

  /** A receive() of the test by a timer of its own: without one to drive it, it would wait for ever. */
  async received<T>(message: () => Promise<T>): Promise<T> {
    if (this.#closed) throw stopped()
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#receives.add(reject)
    message().then(resolve, reject)
    try {
      return await promise
    } finally {
      this.#receives.delete(reject)
    }
  }

  wait(waiter: Waiter): void {
    this.#steps = 0
    if (waiter.check()) return
    if (this.#closed) {
      waiter.failed(stopped())
      return
    }
    this.#waiters.add(waiter)
    this.stir()
  }

  /** Resolves when nothing is left to do at this time. */
  idle(): Promise<void> {
    return this.#later(this.#idles, 0)
  }

  /** Lets time pass: everything due on the way happens, in its order. */
  advance(ms: number): Promise<void> {
    return this.#later(this.#advances, this.#simulation.nowMs + ms)
  }

  #later(list: Advance[], to: number): Promise<void> {
    if (this.#closed) return Promise.reject(stopped())
    this.#steps = 0
    return new Promise((resolve, reject) => {
      list.push({ to, resolve, reject })
      list.sort((a, b) => a.to - b.to)
      this.stir()
    })
  }

  async #run(): Promise<void> {
    for (;;) {
      await promisesSettled()
      if (this.#closed) break
      if (this.#checkWaiters()) continue
      if (++this.#steps % BREATH === 0) {
        // What is real could come about in the breath, and nobody would know.
        if (this.#tell()) continue
        await breath()
      }
      if (this.#steps > this.#options.maxSteps) {
        this.#fail(new BeamishError('BEAMISH_TEST_ENDLESS', { steps: this.#options.maxSteps }))
        break
      }
      if (!this.#simulation.step() && !this.#atRest()) break
    }
    this.#running = false
  }

  #checkWaiters(): boolean {
    let came = false
    for (const waiter of this.#waiters) {
      if (!waiter.check()) continue
      this.#waiters.delete(waiter)
      came = true
    }
    return came
  }

  /** Nothing is left to do at this time. True when there may be, now. */
  #atRest(): boolean {
    if (this.#tell()) return true
    if (!this.#isAwaited()) this.#steps = 0
    if (this.#idles.length > 0) {
      for (const { resolve } of this.#idles.splice(0)) resolve()
      return true
    }
    return this.#moveTime()
  }

  #moveTime(): boolean {
    const simulation = this.#simulation
    const next = simulation.nextAlarm()
    const [advance] = this.#advances
    if (advance !== undefined) {
      const to = Math.min(next ?? advance.to, advance.to)
      const [late] = [...this.#waiters].sort((a, b) => a.deadline - b.deadline)
      if (late !== undefined && late.deadline < to) {
        simulation.passTo(late.deadline)
        this.#waiters.delete(late)
        late.missed('in time')
      } else if (next !== undefined && next <= advance.to) simulation.passTo(next)
      else {
        simulation.passTo(advance.to)
        this.#advances.shift()
        advance.resolve()
      }
      return true
    }
    if (!this.#isAwaited()) return false
    if (next === undefined) {
      const missed = this.#takeWaiters()
      for (const waiter of missed) waiter.missed('and nothing is left to happen')
      return missed.length > 0
    }
    if (!this.#options.autoAdvance) return false
    const late = [...this.#waiters].filter(({ deadline }) => deadline < next)
    if (late.length === 0) simulation.passTo(next)
    else {
      const [first] = late.sort((a, b) => a.deadline - b.deadline) as [Waiter]
      simulation.passTo(first.deadline)
      this.#waiters.delete(first)
      first.missed('in time')
    }
    return true
  }

  /** Somebody outside waits for something that only time or the processes can bring. */
  #isAwaited(): boolean {
    const { pending, receiver } = this.#outside()
    const asked = this.#waiters.size + this.#advances.length + this.#idles.length
    return asked > 0 || receiver !== undefined || (pending?.size ?? 0) > 0
  }

  #takeWaiters(): Waiter[] {
    const all = [...this.#waiters]
    this.#waiters.clear()
    return all
  }

  /** Tells whoever awaits something that a process is stuck, or the next one who does. False: nobody was told. */
  #tell(): boolean {
    const stuck = this.#stuck()
    if (stuck !== undefined) {
      this.#told.add(stuck)
      this.#owed ??= unreproducible(stuck)
    }
    if (this.#owed === undefined || !this.#fail(this.#owed)) return false
    this.#owed = undefined
    return true
  }

  /** A process whose handler awaits what no step of the simulation will ever bring. */
  #stuck(): Process | undefined {
    for (const scheduler of this.#simulation.schedulers) {
      const { runs } = this.#simulation.thread(scheduler.id)
      if (!runs) continue
      for (const process of scheduler.slots) {
        if (process.status !== Status.Suspended || process === this.#outside()) continue
        const awaits = process.awaits || process.timers !== undefined
        if (awaits || process.receiver !== undefined || this.#told.has(process)) continue
        return process
      }
    }
    return undefined
  }

  /** Whatever a test waits for fails; false when there is nothing that could. */
  #fail(error: Error): boolean {
    const waiters = this.#takeWaiters()
    for (const waiter of waiters) waiter.failed(error)
    const later = [...this.#idles.splice(0), ...this.#advances.splice(0)]
    for (const { reject } of later) reject(error)
    const pending = [...(this.#outside().pending?.values() ?? [])]
    for (const one of pending) one.down(reasonOf(error))
    return waiters.length + later.length + pending.length > 0
  }
}

const stopped = (): BeamishError => new BeamishError('BEAMISH_NODE_STOPPED')

function unreproducible({ pid, behaviour, lastMessage }: Process): BeamishError {
  return new BeamishError('BEAMISH_TEST_UNREPRODUCIBLE', {
    process: formatPid(pid),
    behaviour: behaviour.name,
    message: lastMessage === undefined ? 'its start' : safeText(describeMessage(lastMessage), 200),
  })
}
