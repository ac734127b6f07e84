/**
 * A channel lives as long as its connection. It hears of the end as of any message; one that hangs never gets there, and is
 * killed when its time is up.
 */

import type { ExitReason } from '../../runtime/index.ts'
import { DownMessage } from '../../runtime/process/messages.ts'
import type { Ref } from '../../runtime/process/pid.ts'
import { type Pid, schedulerOf } from '../../runtime/process/pid.ts'
import type { Pending, Process } from '../../runtime/process/process.ts'
import { monitor } from '../../runtime/scheduler/signals.ts'
import type { ChannelDefinition } from './channel.ts'

/** One monitor for both: the DOWN that the channel gets, and the clock that runs from then on. */
class Lifeline implements Pending {
  readonly scheduler: number
  readonly standing = true
  readonly #process: Process
  readonly #transport: Pid
  readonly #ref: Ref
  readonly #afterMs: number

  constructor(process: Process, transport: Pid, ref: Ref, afterMs: number) {
    this.scheduler = schedulerOf(transport)
    this.#process = process
    this.#transport = transport
    this.#ref = ref
    this.#afterMs = afterMs
  }

  reply(): void {}

  down(reason: ExitReason): void {
    const process = this.#process
    process.pending?.delete(this.#ref)
    process.monitors?.delete(this.#ref)
    process.scheduler.deliver(process, new DownMessage(this.#ref, this.#transport, reason))
    if (this.#afterMs === Number.POSITIVE_INFINITY) return
    process.scheduler.clock.after(process, this.#afterMs, () =>
      process.scheduler.exit(process, 'killed'),
    )
  }

  abandon(): void {}
}

/**
 * From now on the process gets a DOWN of its transport, and is killed `afterMs` after that one's end; Infinity: it may take
 * any time.
 */
export function endWith(process: Process, transport: Pid, afterMs: number): void {
  const { scheduler } = process
  const ref = scheduler.refs.next()
  process.pendingOrNew().set(ref, new Lifeline(process, transport, ref, afterMs))
  monitor(scheduler, process, transport, ref)
}

/** How long it may outlive its connection: as long as its supervisor would wait. */
export const orphanMs = ({ shutdown }: ChannelDefinition): number =>
  shutdown === 'brutal_kill' ? 0 : shutdown
