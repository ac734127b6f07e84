/** Options of observe(), checked: all of it has limits, so that what it costs does not depend on who asks. */
import { BeamishError } from '../errors.ts'

export interface ObserveOptions {
  /** Children shown of one process; the others are counted. 0 to 10,000. Default 20. */
  readonly maxChildren?: number
  /** Processes shown in the tree, those near its top first. 0 to 100,000. Default 1,000. */
  readonly maxProcesses?: number
  /** Entries in each list of the largest. 0 to 1,000. Default 5. */
  readonly top?: number
  /** Estimates what processes hold, within 20 ms per thread; walks their states. Default false. */
  readonly memory?: boolean
  /** Looks twice, so many milliseconds apart: rates instead of totals. 0 to 60,000. Default 0: once. */
  readonly windowMs?: number
  /** Milliseconds a thread may take to answer, beside the window, before it is told as silent. 1 to 60,000. Default 1,000. */
  readonly timeoutMs?: number
}

/** What a thread is asked. */
export interface LookOptions {
  readonly maxChildren: number
  readonly maxProcesses: number
  readonly top: number
  readonly memory: boolean
  readonly windowMs: number
}

export interface ObserveSettings extends LookOptions {
  readonly timeoutMs: number
}

const KNOWN: readonly string[] = [
  'maxChildren',
  'maxProcesses',
  'top',
  'memory',
  'windowMs',
  'timeoutMs',
] satisfies (keyof ObserveOptions)[]

/** @throws BEAMISH_BAD_OPTION */
export function checkObserve(options: ObserveOptions): ObserveSettings {
  checkNames(options, KNOWN)
  const { memory = false } = options
  if (typeof memory !== 'boolean') throw bad('memory', memory, 'give true or false')
  return {
    memory,
    maxChildren: within('maxChildren', options.maxChildren ?? 20, 0, 10_000),
    maxProcesses: within('maxProcesses', options.maxProcesses ?? 1_000, 0, 100_000),
    top: within('top', options.top ?? 5, 0, 1_000),
    windowMs: within('windowMs', options.windowMs ?? 0, 0, 60_000),
    timeoutMs: within('timeoutMs', options.timeoutMs ?? 1_000, 1, 60_000),
  }
}

/** They may come from another program, so nothing of them is taken for granted. */
export function checkNames(options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw bad('options', options, `give an object with some of ${known.join(', ')}`)
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw bad(name, 'unknown', `use one of ${known.join(', ')}`)
  }
}

export function within(option: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) {
    return value
  }
  throw bad(option, value, `give a whole number from ${least} to ${most}`)
}

export function bad(option: string, got: unknown, fix: string): BeamishError {
  return new BeamishError('BEAMISH_BAD_OPTION', { option, got: JSON.stringify(got), fix })
}
