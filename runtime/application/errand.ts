/** A process that a process on main starts on a thread, to do there what main does not: it answers one call, and ends. */
import { publish } from '../events.ts'
import { Exit, reasonOf } from '../exit/reason.ts'
import type { Behaviour } from '../process/behaviour.ts'
import { CallMessage, ExitMessage, StopMessage } from '../process/messages.ts'
import type { Process } from '../process/process.ts'
import { answer, call } from '../scheduler/calls.ts'
import { place } from '../scheduler/placement.ts'
import { start } from '../scheduler/starts.ts'
import { lossOf } from '../supervisor/losses.ts'

/** After this long one is told of. */
const SLOW_MS = 5_000
/** How often a thread is looked for while there is none. */
const WAIT_MS = 50

export abstract class Errand implements Behaviour {
  readonly delivery = 'handle'
  readonly containStrays = true
  /** A thread that is replaced in order waits for it, as far as it has time. */
  readonly trapExit = true
  abstract readonly name: string

  /** What the call is answered with. */
  protected abstract run(process: Process, event: string, payload: unknown): unknown

  start(process: Process): void {
    process.ready()
  }

  handle(process: Process, message: unknown): unknown {
    if (message instanceof CallMessage) return this.#serve(process, message)
    const ends =
      message instanceof StopMessage ||
      (message instanceof ExitMessage && message.from === process.parent)
    if (ends) process.scheduler.exit(process, message.reason)
    return undefined
  }

  async #serve(process: Process, asked: CallMessage): Promise<void> {
    const value = await this.run(process, asked.event, asked.payload)
    if (!process.alive) return
    answer(process.scheduler, process, asked, value)
    process.scheduler.exit(process, 'normal')
  }

  crashed(process: Process, thrown: unknown): void {
    const reason = reasonOf(thrown)
    process.scheduler.report(process, reason, process.lastMessage)
    process.scheduler.exit(process, reason)
  }
}

/**
 * Runs one on any thread that is up, and waits for one where there is none. What has begun is not begun again: a thread that is
 * lost with it is a rejection, as is a throw. `what` is what it is called where it takes long.
 */
export async function runErrand(
  process: Process,
  behaviour: string,
  what: string,
  event: string,
  payload: unknown,
): Promise<unknown> {
  const { scheduler } = process
  for (;;) {
    const target = place(scheduler, 'any')
    if (target !== scheduler.id && scheduler.board.runs(target)) {
      const options = { link: true, ack: true }
      const result = await start(scheduler, process, target, behaviour, undefined, options).result
      if (result.ok) {
        const { pid } = result
        return whileTelling(process, what, target, () =>
          call(scheduler, process, pid, event, payload, Number.POSITIVE_INFINITY),
        )
      }
      const lost = lossOf(result.reason) !== undefined || !scheduler.peers.has(target)
      if (!lost) throw new Exit(result.reason)
    }
    await new Promise<void>((resolve) => {
      scheduler.clock.after(process, WAIT_MS, resolve)
    })
  }
}

async function whileTelling<T>(
  process: Process,
  what: string,
  target: number,
  run: () => Promise<T>,
): Promise<T> {
  const { clock } = process.scheduler
  const timer = clock.after(process, SLOW_MS, () =>
    publish('notice', () => ({
      level: 'warn',
      code: 'slow_callback',
      message: `${what} has been running on scheduler ${target} for ${SLOW_MS} ms: look for what it waits for`,
      scheduler: target,
    })),
  )
  try {
    return await run()
  } finally {
    clock.cancelRef(timer)
  }
}
