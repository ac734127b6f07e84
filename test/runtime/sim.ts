/**
 * Schedulers of one node in one thread, over queues instead of ports: a test decides which batch arrives when, and which
 * turn runs. The schedulers are the real ones; time stands still unless a test moves it.
 */

import { NO_PID } from '../../runtime/process/pid.ts'
import type { Process } from '../../runtime/process/process.ts'
import { anonymous } from '../../runtime/process/raw.ts'
import { Board } from '../../runtime/scheduler/board.ts'
import { Inbox } from '../../runtime/scheduler/inbox.ts'
import type { PeerPort } from '../../runtime/scheduler/peers.ts'
import { receiveBatch } from '../../runtime/scheduler/receive.ts'
import { Scheduler } from '../../runtime/scheduler/scheduler.ts'

export class SimNode {
  readonly schedulers: readonly Scheduler[]
  /** Every batch posted, in the order of posting: from, to, batch. */
  readonly posted: { readonly from: number; readonly to: number; readonly batch: unknown[] }[] = []
  nowMs = 0
  readonly #queues = new Map<string, unknown[][]>()
  readonly #inboxes = new Map<string, Inbox>()
  readonly #alarms = new Map<number, { readonly at: number; readonly ring: () => void }>()
  readonly #turns: (() => void)[][]

  constructor(count: number) {
    const board = Board.create(count - 1)
    this.#turns = Array.from({ length: count }, () => [])
    this.schedulers = this.#turns.map((turns, id) => {
      board.claim(id, id)
      board.setReady(id)
      const host = {
        now: () => this.nowMs,
        random: () => 0.5,
        soon: (turn: () => void) => turns.push(turn),
        alarm: (delayMs: number | undefined, ring: () => void) => {
          if (delayMs === undefined) this.#alarms.delete(id)
          else this.#alarms.set(id, { at: this.nowMs + delayMs, ring })
        },
      }
      return new Scheduler({ id, slot: id, board, host })
    })
    for (const one of this.schedulers) {
      for (const other of this.schedulers) if (one !== other) this.#connect(one.id, other.id)
    }
  }

  scheduler(id: number): Scheduler {
    const found = this.schedulers[id]
    if (found === undefined) throw new Error(`no scheduler ${id}`)
    return found
  }

  #queue(from: number, to: number): unknown[][] {
    const key = `${from}>${to}`
    let queue = this.#queues.get(key)
    if (queue === undefined) {
      queue = []
      this.#queues.set(key, queue)
    }
    return queue
  }

  #connect(at: number, peer: number): void {
    const [out, inbox] = [this.#queue(at, peer), this.#queue(peer, at)]
    const receiver = new Inbox(
      () => {
        const message = inbox.shift()
        return message === undefined ? undefined : { message }
      },
      (message) => receiveBatch(this.scheduler(at), peer, message as unknown[]),
    )
    this.#inboxes.set(`${peer}>${at}`, receiver)
    const port: PeerPort = {
      post: (batch) => {
        const copy = structuredClone([...batch])
        out.push(copy)
        this.posted.push({ from: at, to: peer, batch: copy })
      },
      drain: (done) => receiver.drain(done),
      close: () => {
        inbox.length = 0
      },
    }
    this.scheduler(at).peers.connect(peer, port)
  }

  /** Hands the oldest batch on its way from one scheduler to another over; false when there is none. */
  deliver(from: number, to: number): boolean {
    const batch = this.#queue(from, to).shift()
    if (batch === undefined) return false
    this.#inboxes.get(`${from}>${to}`)?.receive(batch)
    return true
  }

  /** Runs the turns a scheduler has asked for until now. */
  turn(id: number): void {
    for (const turn of (this.#turns[id] ?? []).splice(0)) turn()
  }

  /** Lets time pass, and rings what is due by then. */
  pass(ms: number): void {
    this.nowMs += ms
    for (const [id, { at, ring }] of [...this.#alarms]) {
      if (at > this.nowMs) continue
      this.#alarms.delete(id)
      ring()
    }
  }

  /** Runs turns and delivers batches until nothing is left to do. */
  settle(): void {
    const count = this.schedulers.length
    for (let busy = true; busy; ) {
      busy = false
      for (let a = 0; a < count; a++) {
        if ((this.#turns[a]?.length ?? 0) > 0) busy = true
        this.turn(a)
        for (let b = 0; b < count; b++) while (this.deliver(a, b)) busy = true
      }
    }
  }

  /** A process that waits for ever; its mailbox tells what it was sent. */
  idle(id: number): Process {
    const scheduler = this.scheduler(id)
    return scheduler.spawn(
      anonymous(() => new Promise(() => {})),
      undefined,
      { parent: NO_PID, ancestors: [] },
    )
  }
}
