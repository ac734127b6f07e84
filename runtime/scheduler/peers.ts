/**
 * Ports to the other schedulers: what is sent in a turn leaves as one batch per peer. A batch that cannot be cloned is
 * sent signal by signal, so that only the bad one is lost, and the process that answers for it exits with a reason naming it.
 */
import { BeamishError } from '../errors.ts'
import { publish } from '../events.ts'
import { reasonOf } from '../exit/reason.ts'
import {
  formatDestination,
  formatPid,
  NO_PID,
  type Pid,
  type Ref,
  schedulerOf,
} from '../process/pid.ts'
import { findUncloneable, hintFor } from './isolate.ts'
import { ARITY, OP_NAMES, Op } from './ops.ts'
import type { Scheduler } from './scheduler.ts'
import { downReceived } from './signals.ts'
import { spawnedReceived } from './starts.ts'

/** One end of a connection between two schedulers. Order is kept; delivery ends when the other side is gone. */
export interface PeerPort {
  post(batch: readonly unknown[]): void
  /** Hands over what has arrived and was not seen yet, then runs `done`; both after a batch that is in the works. */
  drain(done?: () => void): void
  close(): void
  /** Main only: tells the peer of a new scheduler, in order with the batches. */
  offer?(id: number, port: unknown): void
}

interface Peer {
  readonly port: PeerPort
  batch: unknown[]
}

export class Peers {
  readonly #scheduler: Scheduler
  readonly #peers: (Peer | undefined)[] = []
  readonly #dirty: Peer[] = []
  readonly #afterFlush: (() => void)[] = []
  #batches = 0

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** Batches posted since the start. */
  get batches(): number {
    return this.#batches
  }

  ids(): number[] {
    return [...this.#peers.keys()].filter((id) => this.#peers[id] !== undefined)
  }

  connect(id: number, port: PeerPort): void {
    this.#peers[id] = { port, batch: [] }
  }

  disconnect(id: number): void {
    this.#peers[id]?.port.close()
    this.#peers[id] = undefined
  }

  has(id: number): boolean {
    return this.#peers[id] !== undefined
  }

  /** Whether it was known once and is dead. Ids are given in order, and never again. */
  isGone(id: number): boolean {
    this.drainMain()
    const { id: own } = this.#scheduler
    return id !== own && !this.has(id) && id < Math.max(own, this.#peers.length)
  }

  port(id: number): PeerPort | undefined {
    return this.#peers[id]?.port
  }

  /** Empties main's port: what main has announced is known afterwards. */
  drainMain(): void {
    if (this.#scheduler.id !== 0) this.#peers[0]?.port.drain()
  }

  /** The batch for a scheduler, or undefined when it is dead. One that is not known yet is looked for on main's port. */
  #open(id: number): unknown[] | undefined {
    let peer = this.#peers[id]
    if (peer === undefined) {
      this.drainMain()
      peer = this.#peers[id]
      if (peer === undefined) return undefined
    }
    if (peer.batch.length === 0) {
      this.#dirty.push(peer)
      this.#scheduler.wake()
    }
    return peer.batch
  }

  push4(id: number, op: number, from: Pid, a: unknown, b: unknown): void {
    const batch = this.#open(id)
    if (batch !== undefined) batch.push(op, from, a, b)
    else this.#undeliverable(op, from, a, b)
  }

  push5(id: number, op: number, from: Pid, a: unknown, b: unknown, c: unknown): void {
    const batch = this.#open(id)
    if (batch !== undefined) batch.push(op, from, a, b, c)
    else this.#undeliverable(op, from, a, b)
  }

  push6(id: number, op: number, from: Pid, a: unknown, b: unknown, c: unknown, d: unknown): void {
    const batch = this.#open(id)
    if (batch !== undefined) batch.push(op, from, a, b, c, d)
    else this.#undeliverable(op, from, a, b)
  }

  /** A signal to a scheduler that is gone: what expects an answer gets noproc, as from a dead process. */
  #undeliverable(op: number, from: Pid, a: unknown, b: unknown): void {
    this.#scheduler.noSuchScheduler(op, from, a, b)
  }

  /** Runs once everything pushed until now has been posted; what it pushes itself is posted behind that. */
  afterFlush(then: () => void): void {
    this.#afterFlush.push(then)
    this.#scheduler.wake()
  }

  flush(): void {
    this.#post()
    while (this.#afterFlush.length > 0) {
      for (const then of this.#afterFlush.splice(0)) then()
      this.#post()
    }
  }

  #post(): void {
    for (let i = 0; i < this.#dirty.length; i++) {
      const peer = this.#dirty[i] as Peer
      const { batch } = peer
      peer.batch = []
      if (batch.length === 0) continue
      this.#batches++
      try {
        peer.port.post(batch)
      } catch {
        this.#oneByOne(peer.port, batch)
      }
    }
    this.#dirty.length = 0
  }

  /** Main only: hands the port of a new scheduler to a peer, after everything said to it before. */
  offer(id: number, newId: number, port: unknown): void {
    this.flush()
    this.#peers[id]?.port.offer?.(newId, port)
  }

  close(): void {
    for (const peer of this.#peers) peer?.port.close()
  }

  #oneByOne(port: PeerPort, batch: readonly unknown[]): void {
    for (let at = 0; at < batch.length; ) {
      const op = batch[at] as number
      const arity = ARITY[op] as number
      const signal = batch.slice(at, at + arity)
      at += arity
      try {
        port.post(signal)
      } catch (error) {
        this.#blame(op, signal, error)
      }
    }
  }

  #blame(op: number, signal: readonly unknown[], cause: unknown): void {
    const from = signal[1] as Pid
    const fields = signal.slice(2)
    const bad = fields.findIndex((field) => !cloneable(field))
    const found = findUncloneable(fields[bad])
    const to =
      op === Op.Spawn
        ? `a new ${(fields[1] as { behaviour: string }).behaviour}`
        : op === Op.Broadcast
          ? `topic "${String(fields[0])}"`
          : typeof fields[0] === 'number'
            ? formatDestination(fields[0] as Pid)
            : (OP_NAMES[op] as string)
    publish('uncloneable', () => ({ from, to, path: found.path, what: found.what }))
    const process = this.#scheduler.find(from)
    const error = new BeamishError(
      'BEAMISH_UNCLONEABLE',
      { from: formatPid(from), to, path: found.path, what: found.what, hint: hintFor(found.what) },
      cause,
    )
    const reason = reasonOf(error)
    if (op === Op.Reply) {
      // The callee no longer watches: its caller must not wait for the timeout.
      this.push5(schedulerOf(fields[0] as Pid), Op.Down, from, fields[0], fields[1], reason)
    }
    if (process === undefined) return
    if (process.outside) {
      // The outside is no program of its own that could be restarted: its call fails, the node goes on.
      if (op === Op.Call || op === Op.System)
        downReceived(this.#scheduler, from, fields[1] as Ref, reason)
      if (op === Op.Spawn) spawnedReceived(this.#scheduler, from, fields[0] as Ref, NO_PID, reason)
      return
    }
    this.#scheduler.report(process, reason, process.lastMessage)
    this.#scheduler.exit(process, reason)
  }
}

function cloneable(value: unknown): boolean {
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}
