/**
 * The applications of a node, on main (OTP application_controller): which there are, started and stopped in order, one after
 * the other, and what the end of one means. What happens to threads goes through here to their top supervisors, in order, too.
 */
import { type ApplicationEvent, publish } from '../events.ts'
import { type ExitReason, safeText } from '../exit/reason.ts'
import { RAISED, THREAD_UP, VACATE } from '../node/root.ts'
import { type Behaviour, defineBehaviour } from '../process/behaviour.ts'
import { CallMessage, CastMessage, ExitMessage, StopMessage } from '../process/messages.ts'
import type { Pid } from '../process/pid.ts'
import type { Process, StartResult } from '../process/process.ts'
import { answer, call, cast } from '../scheduler/calls.ts'
import { sendExit } from '../scheduler/signals.ts'
import { start } from '../scheduler/starts.ts'
import { stopChild } from '../supervisor/stopChild.ts'
import { masterBehaviour } from './master.ts'
import { endsNode, inOrder } from './order.ts'
import { type Application, type ApplicationType, masterName, rootNameOf } from './spec.ts'

/** Registered name of the process, on main. */
export const APPLICATIONS = 'beamish.applications'
/** The call that starts all. */
export const BOOT = 'boot'

/** More than a root gives a slow init. */
const RAISED_TIMEOUT_MS = 10_000
/** What an application that is still starting has to end in when the node stops. */
const STARTING_SHUTDOWN_MS = 5_000

/** Of what somebody gave for a name. */
const MAX_NAME_TEXT = 50

export type ApplicationState = 'stopped' | 'starting' | 'running' | 'stopping'

/** What is known of an application. */
export interface ApplicationInfo {
  readonly name: string
  readonly type: ApplicationType
  readonly state: ApplicationState
  /** Names of those it needs. */
  readonly applications: readonly string[]
  /** Registered name of its top supervisor, while it runs. */
  readonly supervisor: string
}

/** The outcome of a start or stop by request: names in the order in which it was done. */
export type ApplicationResult =
  | { readonly ok: true; readonly done: readonly string[] }
  | { readonly ok: false; readonly application: string; readonly reason: ExitReason }

/** What the controller is started with. */
interface ControllerArgument {
  /** In the order of their start. */
  readonly applications: readonly Application[]
  /** Milliseconds the others may take to stop when the end of one ends the node. */
  readonly shutdownTimeoutMs: number
}

/** Why the controller ends when an application has ended the node. */
export interface ApplicationEnded {
  readonly applicationEnded: { readonly application: string; readonly reason: ExitReason }
}

interface Entry {
  readonly spec: Application
  readonly needs: Entry[]
  readonly neededBy: Entry[]
  state: ApplicationState
  /** Of one that runs. */
  master: Pid | undefined
  /** Resolves when its stop is through. */
  stopped: Promise<void> | undefined
}

class ControllerState {
  readonly entries: readonly Entry[]
  readonly shutdownTimeoutMs: number
  /** Starts and stops by request, one after the other. */
  requests: Promise<void> = Promise.resolve()
  /** Resolves when all have heard of the threads that are up. */
  told: Promise<void> = Promise.resolve()
  /** The node stops: nothing is started any more. */
  ending = false

  constructor({ applications, shutdownTimeoutMs }: ControllerArgument) {
    this.shutdownTimeoutMs = shutdownTimeoutMs
    const entries = new Map<string, Entry>()
    for (const spec of applications) {
      const needs = spec.applications.map(({ application }) => entries.get(application) as Entry)
      const entry: Entry = {
        spec,
        needs: [...new Set(needs)],
        neededBy: [],
        state: 'stopped',
        master: undefined,
        stopped: undefined,
      }
      for (const needed of entry.needs) needed.neededBy.push(entry)
      entries.set(spec.application, entry)
    }
    this.entries = [...entries.values()]
  }

  find(name: unknown): Entry | undefined {
    return this.entries.find(({ spec }) => spec.application === name)
  }
}

const failed = ({ spec }: Entry, reason: ExitReason): ApplicationResult => ({
  ok: false,
  application: spec.application,
  reason,
})
const unknown = (name: unknown): ApplicationResult => ({
  ok: false,
  application: typeof name === 'string' ? name : safeText(name, MAX_NAME_TEXT),
  reason: 'not_loaded',
})

function tell({ spec }: Entry, event: ApplicationEvent['event'], reason?: ExitReason): void {
  if (spec.plain === true) return
  publish('application', () => ({
    application: spec.application,
    event,
    type: spec.type,
    ...(reason === undefined ? {} : { reason }),
  }))
}

class ControllerBehaviour implements Behaviour {
  readonly delivery = 'handle'
  readonly trapExit = true
  readonly name = 'beamish.applicationController'

  #state(process: Process): ControllerState {
    return process.state as ControllerState
  }

  inspectState(process: Process): unknown {
    return this.#infos(this.#state(process))
  }

  start(process: Process, argument: unknown): void {
    process.state = new ControllerState(argument as ControllerArgument)
    process.ready()
  }

  /** Requests are served one after the other, but beside everything else: a start that hangs holds up no thread. */
  handle(process: Process, message: unknown): unknown {
    if (message instanceof CallMessage) return this.#called(process, message)
    if (message instanceof CastMessage && message.event === THREAD_UP) {
      return this.#threadUp(process, message.payload as number)
    }
    if (message instanceof StopMessage) void this.#stopNode(process, message.reason)
    if (message instanceof ExitMessage) this.#exited(process, message)
    return undefined
  }

  #called(process: Process, asked: CallMessage): void {
    const { event, payload } = asked
    const reply = (value: unknown): void => {
      if (process.alive) answer(process.scheduler, process, asked, value)
    }
    const state = this.#state(process)
    const request = (run: () => Promise<ApplicationResult | undefined>): void => {
      state.requests = state.requests.then(async () => {
        // The end of the controller is an answer, too, and says why.
        const result = process.alive ? await run() : undefined
        if (result !== undefined) reply(result)
      })
    }
    switch (event) {
      case 'whichApplications':
        reply(this.#infos(state))
        return
      case BOOT:
        request(() => this.#boot(process))
        return
      case 'startApplication':
        request(() => this.#startAsked(process, payload))
        return
      case 'stopApplication':
        request(() => this.#stopAsked(process, payload))
        return
      case VACATE:
        void this.#vacate(process, payload as number).then(() => reply('ok'))
        return
      case RAISED:
        void this.#raised(process).then(() => reply('ok'))
        return
      default:
        reply({ ok: false, reason: `${APPLICATIONS} has no call ${event}` })
    }
  }

  #infos({ entries }: ControllerState): ApplicationInfo[] {
    return entries.map(({ spec, needs, state }) => ({
      name: spec.application,
      type: spec.type,
      state,
      applications: needs.map((needed) => needed.spec.application),
      supervisor: rootNameOf(spec),
    }))
  }

  /**
   * All, in order. One whose end would not end the node does not keep it from starting either; nothing where one has ended the
   * node meanwhile.
   */
  async #boot(process: Process): Promise<ApplicationResult | undefined> {
    const state = this.#state(process)
    const done: string[] = []
    for (const entry of state.entries) {
      const result = await this.#start(process, entry)
      if (state.ending) return undefined
      if (result.ok) done.push(entry.spec.application)
      else if (endsNode(entry.spec.type, result.reason)) return failed(entry, result.reason)
    }
    return { ok: true, done }
  }

  /** With those it needs (OTP application:ensure_all_started/1): all of them or none. */
  async #startAsked(process: Process, name: unknown): Promise<ApplicationResult> {
    const state = this.#state(process)
    const asked = state.find(name)
    if (asked === undefined) return unknown(name)
    const wanted = new Set<Entry>()
    const seen = new Set<Entry>()
    const want = (entry: Entry): void => {
      if (seen.has(entry)) return
      seen.add(entry)
      for (const needed of entry.needs) want(needed)
      if (entry.state === 'stopped') wanted.add(entry)
    }
    want(asked)
    const done: Entry[] = []
    for (const entry of wanted) {
      const result = await this.#start(process, entry)
      if (result.ok) {
        done.push(entry)
        continue
      }
      for (const one of done.toReversed()) await this.#stop(process, one)
      return failed(entry, result.reason)
    }
    return { ok: true, done: done.map(({ spec }) => spec.application) }
  }

  /** It alone: those that need it run on (OTP application:stop/1). */
  async #stopAsked(process: Process, name: unknown): Promise<ApplicationResult> {
    const entry = this.#state(process).find(name)
    if (entry === undefined) return unknown(name)
    if (entry.state !== 'running') return failed(entry, 'not_started')
    await this.#stop(process, entry)
    return { ok: true, done: [entry.spec.application] }
  }

  async #start(process: Process, entry: Entry): Promise<StartResult> {
    const { spec, needs } = entry
    const { scheduler } = process
    const { ending } = this.#state(process)
    const missing = needs.find(({ state }) => state !== 'running')
    let result: StartResult
    if (ending) result = { ok: false, reason: 'node_stopping' }
    else if (missing !== undefined) {
      result = { ok: false, reason: { notRunning: missing.spec.application } }
    } else {
      entry.state = 'starting'
      const options = { link: true, ack: true, name: masterName(spec.application) }
      const starting = start(scheduler, process, scheduler.id, masterBehaviour, spec, options)
      result = await starting.result
      // The node stops, and this one with it, whether or not it came up meanwhile.
      if (entry.stopped !== undefined) {
        await entry.stopped
        return { ok: false, reason: 'node_stopping' }
      }
    }
    entry.state = result.ok ? 'running' : 'stopped'
    entry.master = result.ok ? result.pid : undefined
    if (result.ok) tell(entry, 'started')
    else tell(entry, 'start_failed', result.reason)
    return result
  }

  #stop(process: Process, entry: Entry, limitMs = Number.POSITIVE_INFINITY): Promise<void> {
    const { master, stopped } = entry
    if (stopped !== undefined) {
      this.#limit(process, entry, limitMs)
      return stopped
    }
    if (master === undefined) return Promise.resolve()
    entry.state = 'stopping'
    entry.master = undefined
    entry.stopped = stopChild(process, master, limitMs).then(() => {
      entry.state = 'stopped'
      entry.stopped = undefined
      tell(entry, 'stopped')
    })
    return entry.stopped
  }

  /** One that has been asked to stop, with all the time there is, gets no more than this. */
  #limit(process: Process, { spec }: Entry, limitMs: number): void {
    const { scheduler, pid } = process
    const master = scheduler.names.find(masterName(spec.application))
    if (master === undefined || limitMs === Number.POSITIVE_INFINITY) return
    scheduler.clock.after(process, limitMs, () => sendExit(scheduler, pid, master, 'kill'))
  }

  #exited(process: Process, { from, reason }: ExitMessage): void {
    if (from === process.parent) void this.#stopNode(process, reason)
    const state = this.#state(process)
    const entry = state.entries.find(({ master }) => master === from)
    if (entry === undefined) return
    entry.state = 'stopped'
    entry.master = undefined
    tell(entry, 'ended', reason)
    if (!endsNode(entry.spec.type, reason)) return
    const { application } = entry.spec
    const ended: ApplicationEnded = { applicationEnded: { application, reason } }
    void this.#stopNode(process, ended as unknown as ExitReason, state.shutdownTimeoutMs)
  }

  /** All stop in reverse of their start, then there is nothing left to control. */
  async #stopNode(
    process: Process,
    reason: ExitReason,
    limitMs = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const state = this.#state(process)
    if (state.ending) return
    const { scheduler } = process
    const deadline = scheduler.host.now() + limitMs
    const left = (): number => Math.max(0, deadline - scheduler.host.now())
    state.ending = true
    for (const entry of state.entries.toReversed()) {
      if (entry.state === 'starting') {
        entry.master = scheduler.names.find(masterName(entry.spec.application))
        await this.#stop(process, entry, Math.min(left(), STARTING_SHUTDOWN_MS))
      } else await this.#stop(process, entry, left())
    }
    scheduler.exit(process, reason)
  }

  /** Those that run or start, in the order of their start. */
  #live(process: Process): Entry[] {
    return this.#state(process).entries.filter(({ state }) => state !== 'stopped')
  }

  /** Each top supervisor hears of it once those it needs have raised what is placed `each` there, or take too long. */
  #threadUp(process: Process, threadUp: number): void {
    const state = this.#state(process)
    const { scheduler, pid } = process
    const all = inOrder(
      state.entries,
      ({ needs }) => needs,
      async ({ spec, state }) => {
        if (state === 'stopped') return
        cast(scheduler, pid, rootNameOf(spec), THREAD_UP, threadUp)
        await this.#ask(process, spec, RAISED, undefined, RAISED_TIMEOUT_MS)
      },
    )
    // Without their values: a list in a list, one more for each thread.
    state.told = Promise.all([state.told, all]).then(() => {})
  }

  async #raised(process: Process): Promise<void> {
    await this.#state(process).told
    const live = this.#live(process)
    const asked = live.map(({ spec }) => this.#ask(process, spec, RAISED, undefined))
    await Promise.all(asked)
  }

  /** Those that need others first. */
  async #vacate(process: Process, scheduler: number): Promise<void> {
    await inOrder(
      this.#state(process).entries,
      ({ neededBy }) => neededBy,
      async ({ spec, state }) => {
        if (state !== 'stopped') await this.#ask(process, spec, VACATE, scheduler)
      },
    )
  }

  /** One that is not there has nothing to do. */
  async #ask(
    process: Process,
    spec: Application,
    event: string,
    payload: unknown,
    timeoutMs = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const root = rootNameOf(spec)
    await call(process.scheduler, process, root, event, payload, timeoutMs).catch(() => {})
  }
}

export const controllerBehaviour: ControllerBehaviour = defineBehaviour(new ControllerBehaviour())
