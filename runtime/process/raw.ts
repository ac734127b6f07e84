/**
 * Raw processes: an async function that takes its messages with `self.receive(match, timeoutMs)`. The process ends when the
 * function does: returning is normal, throwing is an exit with the error as reason.
 */
import { reasonOf } from '../exit/reason.ts'
import { type Behaviour, defineBehaviour } from './behaviour.ts'
import { type Flags, flagsOf } from './flags.ts'
import type { Process } from './process.ts'
import type { TypedBehaviour } from './protocol.ts'
import type { Self } from './self.ts'
import type { StrayOptions } from './strays.ts'

export type RawBody<A> = (self: Self, argument: A) => unknown

class RawBehaviour implements Behaviour {
  readonly delivery = 'pull'
  readonly name: string
  readonly containStrays: boolean
  readonly flags: Flags | undefined
  readonly #body: RawBody<never>

  constructor(name: string, body: RawBody<never>, containStrays: boolean, flags?: Flags) {
    this.name = name
    this.flags = flags
    this.containStrays = containStrays
    this.#body = body
  }

  /** There is no init to wait for: a raw process is started as soon as it runs. */
  start(process: Process, argument: unknown): unknown {
    process.ready()
    const result = this.#body(process.self, argument as never)
    if (result instanceof Promise) {
      return result.then(() => process.scheduler.exit(process, 'normal'))
    }
    process.scheduler.exit(process, 'normal')
    return undefined
  }

  handle(): void {}

  crashed(process: Process, thrown: unknown): void {
    const reason = reasonOf(thrown)
    process.scheduler.report(process, reason, process.lastMessage)
    process.scheduler.exit(process, reason)
  }
}

/**
 * Defines a raw process under a name that is the same on every thread.
 *
 * @example
 * ```ts
 * import { process } from 'beamish'
 * export const Echo = process('doc-echo', async (self) => {
 *   for (;;) {
 *     const message = await self.receive((m): m is { to: never; text: string } => true, 60_000)
 *     if (message === undefined) return
 *     self.send(message.to, message.text)
 *   }
 * })
 * ```
 *
 * With `containStrays` an error in a promise nobody awaits, in a timer or in an emitter of its making ends the process:
 *
 * ```ts
 * import { process } from 'beamish'
 * export const Watcher = process('doc-watcher', async (self, path: string) => {
 *   setInterval(() => { if (path === '') throw new Error('no path') }, 1_000) // ends this Watcher alone
 *   await self.receive()
 * }, { containStrays: true })
 * ```
 * @throws BEAMISH_BEHAVIOUR_DUPLICATE
 */
export function process<A = undefined>(
  name: string,
  body: RawBody<A>,
  options: StrayOptions & Flags = {},
): TypedBehaviour<A, unknown> {
  const { containStrays = false } = options
  return defineBehaviour(
    new RawBehaviour(name, body as RawBody<never>, containStrays, flagsOf(options)),
  )
}

const ANONYMOUS = 'anonymous'

/** A function as a process of this thread only: it has no name another thread could find. */
export function anonymous(body: RawBody<undefined>, containStrays = false): Behaviour {
  return new RawBehaviour(body.name || ANONYMOUS, body as RawBody<never>, containStrays)
}
