/** application({ … }): a named part of a node as data, the default export of an app module or what that one needs. */
import { BeamishError } from '../errors.ts'
import { safeText } from '../exit/reason.ts'
import { ROOT_NAME } from '../node/root.ts'
import { defineBehaviour } from '../process/behaviour.ts'
import type { Self } from '../process/self.ts'
import { checkName } from '../scheduler/names.ts'
import {
  type SupervisorOptions,
  type SupervisorSpec,
  type SupervisorTree,
  supervisor,
} from '../supervisor/spec.ts'
import { type Callback, CallbackBehaviour } from './callbacks.ts'

/**
 * What the end of an application means, unless it was stopped by request: permanent, the end of the node; transient, the
 * same unless the reason is normal (giving up is `shutdown`); temporary, a report.
 */
export type ApplicationType = 'permanent' | 'transient' | 'temporary'

const TYPES: readonly string[] = ['permanent', 'transient', 'temporary'] satisfies ApplicationType[]

/** `S` is its state: data that crosses threads, which `start` returns and the other callbacks get. */
export interface ApplicationOptions<S>
  extends Pick<SupervisorOptions, 'strategy' | 'autoShutdown' | 'maxRestarts' | 'maxSeconds'> {
  /** Unique on the node. Its top supervisor is registered as `beamish.root.<name>`. */
  readonly name: string
  /** What its end means. Default permanent. */
  readonly type?: ApplicationType
  /** Those it needs: up before it, with their start phases, and stopped after it. */
  readonly applications?: readonly Application[]
  /** Of its top supervisor, as at the root of an app: placed `any` (default), `each` or `{ key }`. Default none. */
  readonly children?: SupervisorOptions['children']
  /** Runs before its children are started. Returns its state. */
  readonly start?: (self: Self) => S | Promise<S>
  /** Run one after the other, in the order they stand here, once all children are up, and before any application that needs it. */
  readonly startPhases?: Readonly<Record<string, (state: S, self: Self) => unknown>>
  /** Runs before its children are stopped, or after they ended by themselves. What it returns is the state for `stop`. */
  readonly prepStop?: (state: S, self: Self) => S | undefined | void | Promise<S | undefined | void>
  /** Runs when its children have ended. */
  readonly stop?: (state: S, self: Self) => unknown
}

/** An application as data. */
export interface Application {
  /** Its name. */
  readonly application: string
  readonly type: ApplicationType
  readonly applications: readonly Application[]
  readonly supervisor: SupervisorSpec
  /** Names of the callbacks it has. */
  readonly callbacks: readonly string[]
  readonly startPhases: readonly string[]
  /** The only one: a supervisor exported as it is. */
  readonly plain?: true
}

/** The name of a supervisor that is exported as it is. */
const PLAIN_NAME = 'app'

/** Registered name of an application's top supervisor. */
export const rootNameOf = ({ application, plain }: Application): string =>
  plain === true ? ROOT_NAME : `${ROOT_NAME}.${application}`

/** Registered name of the master of an application. */
export const masterName = (application: string): string => `beamish.application.${application}`

const KNOWN: readonly string[] = [
  'name',
  'type',
  'applications',
  'children',
  'strategy',
  'autoShutdown',
  'maxRestarts',
  'maxSeconds',
  'start',
  'startPhases',
  'prepStop',
  'stop',
] satisfies (keyof ApplicationOptions<unknown>)[]

/**
 * Describes an application: a tree of processes with a name, the applications it needs, callbacks around its life, and what
 * its end means for the node (OTP application). An app module exports one, and with it all it needs; plain data, of which nothing
 * starts before start() runs it.
 *
 * The start of a node: for each application, those it needs first, `start`, then the children in order, then the start phases.
 * The stop, of all in reverse or of one by `node.stopApplication(name)`: `prepStop`, the children in reverse, `stop`; then what
 * its processes have spawned outside of the tree is killed. Callbacks are code of the app, so each call of one runs in a process
 * of its own on any thread; the state between them is data. A throw in `start` or a phase is the reason why the application
 * does not start, one in `prepStop` or `stop` is reported and keeps nothing from stopping; so is the loss of the thread one runs
 * on: no callback is begun twice.
 *
 * @example
 * ```ts
 * import { application, genServer } from 'beamish'
 * const Store = genServer('doc-store', {
 *   init: () => new Map<string, string>(),
 *   handleCast: { put: (rows, [key, value]: [string, string]) => void rows.set(key, value) },
 * })
 * const store = application({ name: 'store', children: [Store.child(undefined, { name: 'store' })] })
 * export default application({
 *   name: 'shop',
 *   applications: [store],
 *   start: (self) => ({ startedAt: self.now() }),
 *   startPhases: {
 *     seed: (_state, self) => self.cast(Store.named('store'), 'put', ['tea', '4 EUR']),
 *   },
 *   stop: ({ startedAt }, self) => console.log(`open for ${self.now() - startedAt} ms`),
 * })
 * ```
 * @throws BEAMISH_BAD_OPTION, BEAMISH_BAD_CHILD, BEAMISH_NAME_INVALID; BEAMISH_BEHAVIOUR_DUPLICATE for a second one of its name
 */
export function application<S = undefined>(options: ApplicationOptions<S>): Application {
  const { name, type = 'permanent', applications = [], children = [] } = options
  checkName(name)
  checkName(masterName(name))
  const bad = badOption(name)
  for (const key of Object.keys(options)) {
    if (!KNOWN.includes(key)) throw bad(key, 'unknown', `use one of ${KNOWN.join(', ')}`)
  }
  if (!TYPES.includes(type)) throw bad('type', type, `use one of ${TYPES.join(', ')}`)
  if (!Array.isArray(applications)) {
    throw bad('applications', applications, 'give an array of what application() made')
  }
  for (const [i, needed] of applications.entries()) {
    if (isApplication(needed)) continue
    const fix =
      needed === undefined
        ? 'look for modules that import each other: an application is made before those that need it'
        : 'give what application() made'
    throw bad(`applications[${i}]`, needed, fix)
  }
  const { strategy, autoShutdown, maxRestarts, maxSeconds } = options
  const tree = supervisor({
    children,
    ...(strategy === undefined ? {} : { strategy }),
    ...(autoShutdown === undefined ? {} : { autoShutdown }),
    ...(maxRestarts === undefined ? {} : { maxRestarts }),
    ...(maxSeconds === undefined ? {} : { maxSeconds }),
  })
  const phases = phasesOf(options, bad)
  const callbacks = new Map<string, Callback>(
    phases.map(([phase, run]) => [`startPhases.${phase}`, run]),
  )
  for (const callback of ['start', 'prepStop', 'stop'] as const) {
    const run = options[callback]
    if (run === undefined) continue
    if (typeof run !== 'function') throw bad(callback, run, 'give a function')
    callbacks.set(callback, run)
  }
  defineBehaviour(new CallbackBehaviour(name, callbacks))
  return {
    application: name,
    type,
    applications,
    supervisor: tree.argument,
    callbacks: [...callbacks.keys()],
    startPhases: phases.map(([phase]) => phase),
  }
}

type Bad = (option: string, got: unknown, fix: string) => BeamishError

const badOption =
  (name: string): Bad =>
  (option, got, fix) =>
    new BeamishError('BEAMISH_BAD_OPTION', {
      option: `${option} of application "${name}"`,
      got: typeof got === 'function' ? 'a function' : safeText(got, 50),
      fix,
    })

function phasesOf<S>({ startPhases = {} }: ApplicationOptions<S>, bad: Bad): [string, Callback][] {
  if (typeof startPhases !== 'object' || startPhases === null || Array.isArray(startPhases)) {
    throw bad('startPhases', startPhases, 'give an object of functions by the names of the phases')
  }
  return Object.entries(startPhases).map(([phase, run]) => {
    if (typeof run !== 'function') throw bad(`startPhases.${phase}`, run, 'give a function')
    if (/^\d+$/.test(phase)) {
      const fix = 'give it a name that is no number: JavaScript moves those to the front'
      throw bad(`startPhases.${phase}`, phase, fix)
    }
    return [phase, run]
  })
}

export function isApplication(value: unknown): value is Application {
  const { application, supervisor: tree } = (value ?? {}) as Partial<Application>
  return typeof application === 'string' && typeof tree === 'object'
}

/** A supervisor that is exported as it is: the only application, permanent, without callbacks. */
export const plainApplication = ({ argument }: SupervisorTree): Application => ({
  application: PLAIN_NAME,
  type: 'permanent',
  applications: [],
  supervisor: argument,
  callbacks: [],
  startPhases: [],
  plain: true,
})
