/** The callbacks of an application. They are code of the app: each runs in a process of its own on one of the threads. */
import { BeamishError } from '../errors.ts'
import type { Process } from '../process/process.ts'
import type { Self } from '../process/self.ts'
import { findUncloneable } from '../scheduler/isolate.ts'
import { Errand } from './errand.ts'

export type CallbackName = 'start' | 'prepStop' | 'stop'

export type Callback = (...args: readonly never[]) => unknown

/** By name: `start`, `prepStop`, `stop`, and phases as `startPhases.name`. */
type Callbacks = ReadonlyMap<string, Callback>

/** The behaviour that runs the callbacks of an application: every thread that has loaded its module knows it. */
export const callbacksBehaviour = (application: string): string => `application ${application}`

/** What the application's master asks it for. */
export interface CallbackRequest {
  readonly state: unknown
}

export class CallbackBehaviour extends Errand {
  readonly name: string
  readonly #application: string
  readonly #callbacks: Callbacks

  constructor(application: string, callbacks: Callbacks) {
    super()
    this.name = callbacksBehaviour(application)
    this.#application = application
    this.#callbacks = callbacks
  }

  describe(process: Process): string {
    return process.state === undefined ? this.name : `${process.state} of ${this.name}`
  }

  protected async run(process: Process, callback: string, payload: unknown): Promise<unknown> {
    process.state = callback
    const found = this.#callbacks.get(callback) as Callback
    const { state } = payload as CallbackRequest
    const run = found as (...args: readonly unknown[]) => unknown
    const { self }: { self: Self } = process
    const value = await (callback === 'start' ? run(self) : run(state, self))
    if (callback !== 'start' && callback !== 'prepStop') return undefined
    const kept = callback === 'prepStop' && value === undefined ? state : value
    this.#checkState(callback, kept)
    return kept
  }

  /** Here, where whoever wrote it sees the line, and not where it would cross threads. */
  #checkState(callback: string, state: unknown): void {
    try {
      structuredClone(state)
    } catch {
      const application = `"${this.#application}"`
      const found = findUncloneable(state, 'state')
      throw new BeamishError('BEAMISH_APPLICATION_STATE', { callback, application, ...found })
    }
  }
}
