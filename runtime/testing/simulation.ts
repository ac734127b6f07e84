/**
 * Schedulers of one node in one thread, over queues instead of ports: the schedulers are the real ones, and what the semantics
 * leave open (which batch arrives when, which process has its turn, which due timer rings first, when a loss is heard) is one
 * choice after the other. Time stands still unless it is moved.
 */
import type { LostCause } from '../exit/reason.ts'
import { forgetThread } from '../node/forget.ts'
import { Rank } from '../process/flags.ts'
import { NO_PID } from '../process/pid.ts'
import { Process, Status } from '../process/process.ts'
import { anonymous } from '../process/raw.ts'
import { Board } from '../scheduler/board.ts'
import type { Host } from '../scheduler/host.ts'
import { Inbox } from '../scheduler/inbox.ts'
import { Op } from '../scheduler/ops.ts'
import type { PeerPort } from '../scheduler/peers.ts'
import { receiveBatch } from '../scheduler/receive.ts'
import { Rows } from '../scheduler/runQueue.ts'
import type { Tracer } from '../scheduler/tracer.ts'
import { type Choose, inOrder, seededRandom } from './choice.ts'
import { DrawnTimers } from './drawnTimers.ts'
import { type Interference, SimScheduler } from './simScheduler.ts'

export interface SimulationOptions {
  readonly choose?: Choose
  readonly seed?: number
  readonly development?: boolean
  readonly messageBudget?: number
  readonly tracer?: Tracer
  readonly interference?: Interference
  /** There is something to do. */
  readonly stirred?: () => void
  /** A thread is about to be dead to everybody. */
  readonly lost?: (scheduler: number, cause: LostCause) => void
  /** A replacement has loaded the app. */
  readonly up?: (scheduler: number) => void
}

/** One direction of a connection. */
interface Line {
  readonly from: SimThread
  readonly to: SimThread
  readonly queue: unknown[]
  readonly inbox: Inbox
}

/** Main tells a thread of a new one. */
interface NewPeer {
  readonly peer: number
  readonly port: PeerPort
}

/** Something outside of any process that comes at a time of its own. */
type Incident = () => void

class Alarm {
  readonly at: number
  readonly ring: () => void
  constructor(at: number, ring: () => void) {
    this.at = at
    this.ring = ring
  }
}

export class SimThread {
  readonly scheduler: SimScheduler
  readonly turns: (() => void)[] = []
  alarm: Alarm | undefined = undefined
  /** It has loaded the app: what is sent to it before waits in its ports. */
  up = true
  frozen = false
  dead = false
  /** It has messages left: its turn may go on, whoever else is ready. */
  goesOn: Process | undefined = undefined
  /** There while somebody of another priority is ready. */
  rows: Rows | undefined = undefined

  constructor(make: (thread: SimThread) => SimScheduler) {
    this.scheduler = make(this)
  }

  get runs(): boolean {
    return this.up && !this.frozen && !this.dead
  }

  turn(): void {
    for (const turn of this.turns.splice(0)) turn()
  }
}

export class Simulation {
  readonly board: Board
  /** Every batch posted, in the order of posting: from, to, batch. Kept only without a seed. */
  readonly posted: { readonly from: number; readonly to: number; readonly batch: unknown[] }[] = []
  nowMs = 0
  /** Done until now. */
  steps = 0
  readonly #options: SimulationOptions
  readonly #choose: Choose
  readonly #threads: SimThread[] = []
  readonly #lines: Line[] = []
  readonly #incidents: Incident[] = []
  readonly #candidates: (Process | SimThread | Alarm | Line | Incident)[] = []

  /** `count` schedulers, main included. */
  constructor(count: number, options: SimulationOptions = {}) {
    this.#options = options
    this.#choose = options.choose ?? inOrder
    this.board = Board.create(count - 1)
    for (let id = 0; id < count; id++) {
      this.#threads.push(this.#make(id, id))
      this.board.claim(id, id)
      this.board.setReady(id)
    }
    for (const one of this.#threads) {
      for (const other of this.#threads) {
        if (one !== other) one.scheduler.peers.connect(other.scheduler.id, this.#port(one, other))
      }
    }
  }

  /** All there ever were, by their ids. */
  get schedulers(): readonly SimScheduler[] {
    return this.#threads.map(({ scheduler }) => scheduler)
  }

  scheduler(id: number): SimScheduler {
    return this.thread(id).scheduler
  }

  thread(id: number): SimThread {
    const found = this.#threads[id]
    if (found === undefined) throw new Error(`no scheduler ${id}`)
    return found
  }

  /** Ids of those that run processes, main not included. */
  live(): number[] {
    return this.#threads
      .filter(({ scheduler, up, dead }) => scheduler.id !== 0 && up && !dead)
      .map(({ scheduler }) => scheduler.id)
  }

  #make(id: number, slot: number): SimThread {
    const { seed, development, messageBudget, interference, tracer } = this.#options
    const stirred = this.#options.stirred ?? ((): void => {})
    return new SimThread((thread) => {
      const host: Host = {
        now: () => this.nowMs,
        random: seed === undefined ? () => 0.5 : seededRandom(seed + id * 7_919),
        soon: (turn) => {
          thread.turns.push(turn)
          stirred()
        },
        alarm: (delayMs, ring) => {
          thread.alarm = delayMs === undefined ? undefined : new Alarm(this.nowMs + delayMs, ring)
        },
      }
      const { board } = this
      const { choose } = this.#options
      const timers = choose === undefined ? undefined : new DrawnTimers(choose)
      const given = { development, messageBudget, interference, timers }
      const scheduler = new SimScheduler({ id, slot, board, host, stirred, ...given })
      scheduler.tracer = tracer
      return scheduler
    })
  }

  /** The end at `at` of a connection with `peer`. */
  #port(at: SimThread, peer: SimThread): PeerPort {
    const out = this.#line(at, peer)
    const into = this.#line(peer, at)
    const send = (message: unknown): void => {
      if (peer.dead) return
      out.queue.push(message)
      this.#options.stirred?.()
    }
    return {
      post: (batch) => {
        const copy = structuredClone([...batch])
        send(copy)
        if (this.#options.seed !== undefined) return
        this.posted.push({ from: at.scheduler.id, to: peer.scheduler.id, batch: copy })
      },
      drain: (done) => into.inbox.drain(done),
      close: () => {
        into.queue.length = 0
      },
      offer: (id, port) => send({ peer: id, port } as NewPeer),
    }
  }

  #line(from: SimThread, to: SimThread): Line {
    const known = this.#lines.find((line) => line.from === from && line.to === to)
    if (known !== undefined) return known
    const queue: unknown[] = []
    const inbox = new Inbox(
      () => (queue.length === 0 ? undefined : { message: queue.shift() }),
      (message) => {
        if (Array.isArray(message)) receiveBatch(to.scheduler, from.scheduler.id, message)
        else to.scheduler.peers.connect((message as NewPeer).peer, (message as NewPeer).port)
      },
    )
    const line: Line = { from, to, queue, inbox }
    this.#lines.push(line)
    return line
  }

  /** One of the steps that may come next; false when there is none before time passes. */
  step(): boolean {
    const candidates = this.#candidates
    candidates.length = 0
    for (const thread of this.#threads) {
      if (!thread.runs) continue
      this.#runnable(thread)
      if (thread.turns.length > 0) candidates.push(thread)
      if (thread.alarm !== undefined && thread.alarm.at <= this.nowMs) candidates.push(thread.alarm)
    }
    for (const line of this.#lines) {
      if (line.queue.length > 0 && line.to.runs) candidates.push(line)
    }
    candidates.push(...this.#incidents)
    if (candidates.length === 0) return false
    this.steps++
    const chosen = candidates[candidates.length === 1 ? 0 : this.#choose(candidates.length)]
    if (chosen instanceof Process) this.#run(chosen)
    else if (chosen instanceof SimThread) chosen.turn()
    else if (chosen instanceof Alarm) this.#ring(chosen)
    else if (typeof chosen === 'function') {
      this.#incidents.splice(this.#incidents.indexOf(chosen), 1)
      chosen()
    } else if (chosen !== undefined) {
      chosen.to.goesOn = undefined
      chosen.inbox.receive(chosen.queue.shift())
    }
    return true
  }

  /** Those of a thread that may have the next turn: all that are ready of the kind whose turn it is. */
  #runnable(thread: SimThread): void {
    const { ready } = thread.scheduler
    const waiting = { [Rank.High]: 0, [Rank.Normal]: 0, [Rank.Low]: 0 }
    for (const process of ready) {
      if (process.status === Status.Dead) ready.delete(process)
      else waiting[process.rank]++
    }
    const { [Rank.High]: highs, [Rank.Normal]: normals, [Rank.Low]: lows } = waiting
    if (highs + lows === 0) thread.rows = undefined
    else thread.rows ??= new Rows()
    const next = thread.rows?.next(highs, normals, lows) ?? Rank.Normal
    for (const process of ready) if (process.rank === next) this.#candidates.push(process)
    const { goesOn } = thread
    if (goesOn !== undefined && goesOn.rank !== next && ready.has(goesOn)) {
      this.#candidates.push(goesOn)
    }
  }

  #run(process: Process): void {
    const thread = this.thread(process.scheduler.id)
    const { scheduler, goesOn, rows } = thread
    // A turn that goes on is no further one.
    if (process !== goesOn) rows?.had(process.rank)
    scheduler.release(process)
    thread.turn()
    // A raw process is ready again only once it asks for the next message.
    const raw = process.behaviour.delivery === 'pull' && process.mailbox.length > 0
    thread.goesOn = raw || scheduler.ready.has(process) ? process : undefined
  }

  #ring(alarm: Alarm): void {
    for (const thread of this.#threads) {
      if (thread.alarm !== alarm) continue
      thread.alarm = undefined
      thread.goesOn = undefined
    }
    alarm.ring()
  }

  /** When the next timer of a thread that runs is due. */
  nextAlarm(): number | undefined {
    let next: number | undefined
    for (const { alarm, runs } of this.#threads) {
      if (!runs || alarm === undefined) continue
      if (next === undefined || alarm.at < next) next = alarm.at
    }
    return next
  }

  /** Moves time on to a point: what is due by then are the next steps. */
  passTo(ms: number): void {
    this.nowMs = ms
  }

  /** Hands the oldest batch on its way from one scheduler to another over; false when there is none. */
  deliver(from: number, to: number): boolean {
    const line = this.#line(this.thread(from), this.thread(to))
    if (line.queue.length === 0) return false
    line.inbox.receive(line.queue.shift())
    return true
  }

  /** Runs what is ready on a scheduler. */
  turn(id: number): void {
    const thread = this.thread(id)
    for (const process of [...thread.scheduler.ready]) thread.scheduler.release(process)
    thread.turn()
  }

  /** Lets time pass, and rings what is due by then. */
  pass(ms: number): void {
    this.nowMs += ms
    for (const { alarm } of this.#threads) {
      if (alarm !== undefined && alarm.at <= this.nowMs) this.#ring(alarm)
    }
  }

  /** Runs turns and delivers batches, in order, until nothing is left to do at this time. */
  settle(): void {
    const count = this.#threads.length
    for (let busy = true; busy; ) {
      busy = false
      for (let a = 0; a < count; a++) {
        const { scheduler, turns } = this.thread(a)
        if (turns.length > 0 || scheduler.ready.size > 0) busy = true
        this.turn(a)
        for (let b = 0; b < count; b++) while (a !== b && this.deliver(a, b)) busy = true
      }
    }
  }

  /** Ends a thread as an accident would: what it has posted still arrives, what it has not is gone, main hears of it later. */
  kill(id: number, cause: LostCause): void {
    const thread = this.thread(id)
    if (thread.dead) return
    thread.dead = true
    thread.alarm = undefined
    thread.turns.length = 0
    for (const { to, queue } of this.#lines) if (to === thread) queue.length = 0
    this.#happens(() => this.#lose(thread, cause))
  }

  freeze(id: number, frozen: boolean): void {
    this.thread(id).frozen = frozen
    this.#options.stirred?.()
  }

  #happens(incident: Incident): void {
    this.#incidents.push(incident)
    this.#options.stirred?.()
  }

  #lose({ scheduler }: SimThread, cause: LostCause): void {
    const { id, slot } = scheduler
    this.#options.lost?.(id, cause)
    forgetThread(this.scheduler(0), id, slot, cause)
    const replacement = this.#introduce(slot)
    this.#happens(() => {
      if (replacement.dead) return
      replacement.up = true
      this.board.setReady(slot)
      this.#options.up?.(replacement.scheduler.id)
    })
  }

  /** Makes a thread and it and the others known to each other, as node/threads.ts does. */
  #introduce(slot: number): SimThread {
    const { peers, names } = this.scheduler(0)
    const id = this.#threads.length
    const thread = this.#make(id, slot)
    thread.up = false
    const others = this.#threads.filter(({ dead }) => !dead)
    this.#threads.push(thread)
    for (const other of others) {
      thread.scheduler.peers.connect(other.scheduler.id, this.#port(thread, other))
      if (other.scheduler.id === 0) peers.connect(id, this.#port(other, thread))
      else peers.offer(other.scheduler.id, id, this.#port(other, thread))
    }
    for (const [name, pid] of names.entries()) peers.push4(id, Op.NameSet, NO_PID, name, pid)
    peers.flush()
    this.board.claim(slot, id)
    return thread
  }

  /** A process that waits for ever; its mailbox tells what it was sent. */
  idle(id: number): Process {
    const body = anonymous(() => new Promise(() => {}))
    return this.scheduler(id).spawn(body, undefined, { parent: NO_PID, ancestors: [] })
  }
}
