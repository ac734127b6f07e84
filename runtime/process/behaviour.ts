/**
 * Behaviours: what a process does with its messages. They are stateless and known by name on every thread (like
 * customElements.define), so that a process can be started wherever its module is loaded; all state is in the process.
 */
import { BeamishError } from '../errors.ts'
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
}

const behaviours = new Map<string, Behaviour>()

/**
 * Makes a behaviour known on this thread.
 * @throws BEAMISH_BEHAVIOUR_DUPLICATE when the name is taken by another one.
 */
export function defineBehaviour<B extends Behaviour>(behaviour: B): B {
  const known = behaviours.get(behaviour.name)
  if (known !== undefined && known !== behaviour) {
    throw new BeamishError('BEAMISH_BEHAVIOUR_DUPLICATE', { name: `"${behaviour.name}"` })
  }
  behaviours.set(behaviour.name, behaviour)
  return behaviour
}

export const findBehaviour = (name: string): Behaviour | undefined => behaviours.get(name)
