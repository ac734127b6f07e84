/** A process that hibernates: its state rests, serialized or as it is, until a message comes. */
import type { Attendant } from '../process/attendant.ts'
import type { Process } from '../process/process.ts'
import { type Encoded, wakeUp } from './codec.ts'

export class Asleep implements Attendant {
  readonly suspended = false
  readonly hibernated = true
  readonly urgent = false
  /** undefined: the state was left as it is. */
  readonly encoded: Encoded | undefined

  constructor(encoded: Encoded | undefined) {
    this.encoded = encoded
  }

  takes(): boolean {
    return false
  }

  replied(): void {}

  next(process: Process): unknown {
    const message = process.mailbox.shift()
    process.lastMessage = message
    return message
  }

  handle(process: Process, message: unknown): unknown {
    process.attendant = undefined
    this.wake(process)
    return process.behaviour.handle(process, message)
  }

  /** The state, without waking its process. */
  look(process: Process): unknown {
    const { data } = process.behaviour
    if (this.encoded === undefined) return data?.get(process)
    const rested = wakeUp(this.encoded)
    return data?.rest === undefined ? rested : data.rest.stateOf(rested)
  }

  /** Gives its process the state back; whoever calls it is or replaces the attendant. */
  wake(process: Process): void {
    if (this.encoded !== undefined) {
      const { data } = process.behaviour
      const rested = wakeUp(this.encoded)
      if (data?.rest === undefined) data?.set(process, rested)
      else data.rest.take(process, rested)
    }
    process.scheduler.sleepers.woken(process)
  }
}

/** All whose state was left as it is have this one in common. */
export const KEPT: Asleep = new Asleep(undefined)
