/**
 * The master of one application, on main (OTP application_master): starts it in order, keeps its state, stops it in order, and
 * ends as its top supervisor does. It leads the group of all processes of the application.
 */
import { Exit, type ExitReason, plain, reasonOf } from '../exit/reason.ts'
import { rootBehaviour } from '../node/root.ts'
import { type Behaviour, defineBehaviour } from '../process/behaviour.ts'
import { ExitMessage, StopMessage } from '../process/messages.ts'
import type { Pid } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { start } from '../scheduler/starts.ts'
import { stopChild } from '../supervisor/stopChild.ts'
import { type CallbackName, type CallbackRequest, callbacksBehaviour } from './callbacks.ts'
import { runErrand } from './errand.ts'
import { killLeftovers } from './leftovers.ts'
import { type Application, rootNameOf } from './spec.ts'

class MasterState {
  readonly spec: Application
  /** Its top supervisor, while that lives. */
  root: Pid | undefined
  /** What its callbacks know. */
  value: unknown
  constructor(spec: Application) {
    this.spec = spec
  }
}

class MasterBehaviour implements Behaviour {
  readonly delivery = 'handle'
  readonly trapExit = true
  readonly name = 'beamish.applicationMaster'

  #state(process: Process): MasterState {
    return process.state as MasterState
  }

  inspectState(process: Process): unknown {
    const { spec, root, value } = this.#state(process)
    return { application: spec.application, root, state: value }
  }

  async start(process: Process, argument: unknown): Promise<void> {
    const spec = argument as Application
    process.state = new MasterState(spec)
    // A supervisor that is exported as it is leads no group, as ever.
    if (spec.plain !== true) process.groupLeader = process.pid
    try {
      await this.#bringUp(process, this.#state(process))
    } catch (thrown) {
      if (!process.alive) return
      await this.#takeDown(process)
      process.scheduler.exit(process, plain(reasonOf(thrown)))
      return
    }
    process.ready()
  }

  async #bringUp(process: Process, state: MasterState): Promise<void> {
    const { spec } = state
    const { scheduler } = process
    state.value = await this.#required(process, 'start')
    const options = { link: true, ack: true, name: rootNameOf(spec) }
    const { supervisor } = spec
    const starting = start(scheduler, process, scheduler.id, rootBehaviour, supervisor, options)
    const result = await starting.result
    if (!result.ok) throw new Exit(result.reason)
    state.root = result.pid
    for (const phase of spec.startPhases) await this.#required(process, `startPhases.${phase}`)
  }

  /** Runs a callback, if there is one, whose failure is the failure of the start. */
  async #required(process: Process, callback: string): Promise<unknown> {
    try {
      return await this.#run(process, callback)
    } catch (thrown) {
      throw new Exit({ failedToStart: callback, reason: innerReason(thrown) })
    }
  }

  async #run(process: Process, callback: string): Promise<unknown> {
    const { spec, value } = this.#state(process)
    if (!spec.callbacks.includes(callback)) return undefined
    const name = callbacksBehaviour(spec.application)
    const request: CallbackRequest = { state: value }
    return runErrand(
      process,
      name,
      `${callback} of application ${spec.application}`,
      callback,
      request,
    )
  }

  /** One that fails has been reported by its own process, and keeps nothing from stopping. */
  async #optional(process: Process, callback: CallbackName): Promise<unknown> {
    const { spec, value } = this.#state(process)
    if (!spec.callbacks.includes(callback)) return value
    return this.#run(process, callback).catch(() => value)
  }

  handle(process: Process, message: unknown): unknown {
    const state = this.#state(process)
    if (message instanceof StopMessage) return this.#stop(process, message.reason)
    if (!(message instanceof ExitMessage)) return undefined
    if (message.from === process.parent) return this.#stop(process, message.reason)
    if (message.from !== state.root) return undefined
    state.root = undefined
    return this.#stop(process, message.reason)
  }

  async #stop(process: Process, reason: ExitReason): Promise<void> {
    const state = this.#state(process)
    state.value = await this.#optional(process, 'prepStop')
    await this.#takeDown(process, () => this.#optional(process, 'stop'))
    process.scheduler.exit(process, plain(reason))
  }

  async #takeDown(
    process: Process,
    stopped: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<void> {
    const { root, spec } = this.#state(process)
    if (root !== undefined) await stopChild(process, root, Number.POSITIVE_INFINITY)
    await stopped()
    if (spec.plain !== true) await killLeftovers(process)
  }
}

/** A callback is called: the reason it failed for is in that of the call. */
function innerReason(thrown: unknown): ExitReason {
  const reason = reasonOf(thrown)
  if (typeof reason !== 'object' || reason === null || !('call' in reason)) return reason
  return (reason as { readonly reason?: ExitReason }).reason ?? reason
}

export const masterBehaviour: MasterBehaviour = defineBehaviour(new MasterBehaviour())
