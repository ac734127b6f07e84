/**
 * Behaviours: what a process does with its messages. They are stateless and known by name on every thread (like
 * customElements.define), so that a process can be started wherever its module is loaded; all state is in the process.
 */
import { BeamishError } from '../errors.ts'
import type { ExitReason } from '../exit/reason.ts'
import type { Flags } from './flags.ts'
import type { Process } from './process.ts'

/** The kernel's view of a behaviour. genServer(), process() and supervisor() make these. */
export interface Behaviour {
  readonly name: string
  /** `handle`: the kernel calls handle() per message. `pull`: the process takes its messages with receive(). */
  readonly delivery: 'handle' | 'pull'
  /** Stays the process's initial state until start() has run. */
  readonly trapExit?: boolean
  /** What its processes are born with, unless their start says otherwise. */
  readonly flags?: Flags | undefined
  /** See StrayOptions. */
  readonly containStrays?: boolean
  /** First step of the process. A promise keeps its messages waiting until it settles. */
  start(process: Process, argument: unknown): unknown
  /** One message. A promise keeps the next one waiting until it settles. */
  handle(process: Process, message: unknown): unknown
  /** A throw or rejection in start() or handle(): decides how the process ends. Default: it exits with the reason. */
  crashed?(process: Process, thrown: unknown, message: unknown): unknown
  /** What a process of this behaviour is called in reports, if that says more than the behaviour's name. */
  describe?(process: Process): string | undefined
  /** The state as a crash report or inspector shows it. */
  inspectState?(process: Process): unknown
  /** What sys replaces, hands to a code change, and hibernation may serialize: data, all of it. Without it these are refused. */
  readonly data?: StateAccess
  /** Its users' say in what status and crash reports show; never throws. */
  formatStatus?(status: StatusReport): StatusReport
  /** Makes the state of another version one of this version, or the other way round. Without it the state stays as it is. */
  codeChange?(state: unknown, change: CodeChange): unknown
}

/** How the kernel gets at the state of a behaviour's processes. */
export interface StateAccess {
  get(process: Process): unknown
  set(process: Process, state: unknown): void
  /** What a process puts away while it hibernates, where that is more than its state. */
  readonly rest?: RestAccess
}

export interface RestAccess {
  /** All of it, as data; it is let go of by leave(), once it is serialized. */
  look(process: Process): unknown
  leave(process: Process): void
  /** Gives it back. */
  take(process: Process, rested: unknown): void
  /** The state in it. */
  stateOf(rested: unknown): unknown
}

/** What is shown of a process: in sys.getStatus, and in its crash report. */
export interface StatusReport {
  readonly state: unknown
  /** The last message, as a report shows it. */
  readonly message?: unknown
  /** Crash reports only. */
  readonly reason?: ExitReason
}

/** A change of code, as codeChange hears of it. */
export interface CodeChange {
  /** up: asked of the version that is loaded. down: of the one that runs, for the one that is loaded knows less. */
  readonly direction: 'up' | 'down'
  readonly from?: string | number
  readonly to?: string | number
  readonly extra?: unknown
}

const behaviours = new Map<string, Behaviour>()
/** Modules being loaded by a code change: what they define again is judged by who loads them. */
let changes = 0

/**
 * Makes a behaviour known on this thread.
 * @throws BEAMISH_BEHAVIOUR_DUPLICATE when the name is taken by another one.
 */
export function defineBehaviour<B extends Behaviour>(behaviour: B): B {
  const known = behaviours.get(behaviour.name)
  if (known !== undefined && known !== behaviour) {
    if (changes > 0) return behaviour
    throw new BeamishError('BEAMISH_BEHAVIOUR_DUPLICATE', { name: `"${behaviour.name}"` })
  }
  behaviours.set(behaviour.name, behaviour)
  return behaviour
}

export const findBehaviour = (name: string): Behaviour | undefined => behaviours.get(name)

/**
 * Runs `load`, during which behaviours may be defined a second time: the definition in force stays, until one is put in its
 * place by redefineBehaviour().
 */
export async function whileLoading<T>(load: () => Promise<T>): Promise<T> {
  changes++
  try {
    return await load()
  } finally {
    changes--
  }
}

/** From now on this is the behaviour of its name on this thread. */
export function redefineBehaviour(behaviour: Behaviour): void {
  behaviours.set(behaviour.name, behaviour)
}
