/**
 * Process identifiers and references. A pid is one number: cloneable, a Map key, compared with `===`.
 *
 * Bits, low to high: slot index 20, scheduler 12 (together an int32, so both come off with one mask), generation 17,
 * node 4: 53, a safe integer. A scheduler therefore runs at most 1,048,576 processes at once, a node has at most 4,096
 * threads in its life, and a slot is used 131,072 times before it is retired (see slots.ts).
 */

declare const pidBrand: unique symbol
declare const refBrand: unique symbol
declare const nameBrand: unique symbol

/** A process. `P` is what it answers to (calls and casts), known to TypeScript only. */
export type Pid<P = unknown> = number & { readonly [pidBrand]: P }

/** A monitor, timer or call reference, unique within the node. */
export type Ref = number & { readonly [refBrand]: true }

/** A registered name that carries the type of its process; made by `Behaviour.named(name)`. */
export type Name<P = unknown> = string & { readonly [nameBrand]?: P }

/** Where a message can go: a pid or a name. */
export type Destination<P = unknown> = Pid<P> | Name<P>

/**
 * An address of a process that it can switch off; made by self.alias() and self.monitor(). Plain data: it may be sent on, and
 * written to from any thread.
 */
export interface Alias {
  readonly pid: Pid
  readonly ref: Ref
}

export const SLOT_BITS = 20
export const SCHEDULER_BITS = 12
export const GENERATION_BITS = 17

export const MAX_SLOTS: number = 2 ** SLOT_BITS
export const MAX_SCHEDULERS: number = 2 ** SCHEDULER_BITS
export const MAX_GENERATION: number = 2 ** GENERATION_BITS - 1

const HIGH = 2 ** 32
const SLOT_MASK = MAX_SLOTS - 1
const SCHEDULER_MASK = MAX_SCHEDULERS - 1

/** The pid that is nobody: parent of the first process, sender of messages from outside. */
export const NO_PID: Pid = 0 as Pid

export function makePid(scheduler: number, slot: number, generation: number): Pid {
  return (generation * HIGH + (((scheduler << SLOT_BITS) | slot) >>> 0)) as Pid
}

export const slotOf = (pid: Pid): number => pid & SLOT_MASK
export const schedulerOf = (pid: Pid): number => (pid >>> SLOT_BITS) & SCHEDULER_MASK
export const generationOf = (pid: Pid): number => Math.floor(pid / HIGH) & MAX_GENERATION

/**
 * A pid as people write it: `<node.scheduler.slot.generation>`, without the generation while it is the first.
 *
 * @example
 * ```ts
 * import { formatPid, type Pid } from 'beamish'
 * console.assert(formatPid((2 ** 32 + 2 * 2 ** 20 + 417) as Pid) === '<0.2.417>')
 * ```
 */
export function formatPid(pid: Pid): string {
  if (pid === NO_PID) return '<outside>'
  const generation = generationOf(pid)
  const node = Math.floor(pid / (HIGH * (MAX_GENERATION + 1)))
  return `<${node}.${schedulerOf(pid)}.${slotOf(pid)}${generation > 1 ? `.${generation}` : ''}>`
}

export function formatDestination(to: Destination | Alias): string {
  if (typeof to === 'object') return `an alias of ${formatPid(to.pid)}`
  if (typeof to === 'number') return formatPid(to)
  const at = to.indexOf(KEY_SEPARATOR)
  return at < 0 ? `"${to}"` : `${to.slice(0, at)}["${to.slice(at + 2)}"]`
}

/** Separates a unique registry from its key in what `via` makes; no other name may contain it. */
export const KEY_SEPARATOR = '\u0000'

/** Whether a name is a key of a registry: behind the separator stands a mark for text or number. */
export function isKey(name: string): boolean {
  const at = name.indexOf(KEY_SEPARATOR)
  return at > 0 && (name[at + 1] === '$' || name[at + 1] === '#')
}

/** Makes the references of one scheduler: counter times 4,096 plus the scheduler id. */
export class RefSource {
  readonly #scheduler: number
  #next = 1

  constructor(scheduler: number) {
    this.#scheduler = scheduler
  }

  next(): Ref {
    return (this.#next++ * MAX_SCHEDULERS + this.#scheduler) as Ref
  }
}

/** Scheduler that made a reference. Modulo, not a mask: references outgrow 32 bits. */
export const schedulerOfRef = (ref: Ref): number => ref % MAX_SCHEDULERS
