/**
 * Functions that another thread can run: a function cannot cross threads, but every thread can import the module that
 * exports it. Tasks, agents and dirty jobs all take this one form beside plain functions of their own thread.
 */
import { BeamishError } from '../errors.ts'
import { safeText } from '../exit/reason.ts'

/** An exported function by name. `R` is what it returns, known to TypeScript only. */
export interface RemoteFunction<R = unknown> {
  /** `import.meta.url` of the module that exports it. */
  readonly module: string | URL
  /** Name of the export. Default: the default export. */
  readonly name?: string
  /** Plain data, behind what its runner passes first. */
  readonly args?: readonly unknown[]
  /** Never set: carries the type. */
  readonly returns?: R
}

/** The same as data that crosses threads. */
export interface ExportedFunction {
  readonly module: string
  readonly name: string
  readonly args: readonly unknown[]
}

// biome-ignore lint/suspicious/noExplicitAny: the parameters are its runner's business
export type AnyFunction = (...args: any[]) => unknown

/** Checks what stands for a function; a function itself is returned as it is. */
export function checkRunnable(
  what: string,
  run: AnyFunction | RemoteFunction,
): AnyFunction | ExportedFunction {
  if (typeof run === 'function') return run
  const { module, name = 'default', args = [] } = (run ?? {}) as RemoteFunction
  const href = module instanceof URL ? module.href : module
  const known =
    typeof href === 'string' &&
    /^[a-z-]+:/.test(href) &&
    typeof name === 'string' &&
    Array.isArray(args)
  if (known) return { module: href, name, args }
  throw new BeamishError('BEAMISH_BAD_OPTION', {
    option: `the function of ${what}`,
    got: safeText(run, 100),
    fix: 'give a function, or { module: import.meta.url, name, args } of an exported one',
  })
}

/** Why a function of this thread is refused there. */
export const functionElsewhere = (what: string, from: number): BeamishError =>
  new BeamishError('BEAMISH_FUNCTION_ELSEWHERE', { what, from })

/** Imports the module on this thread, once, and finds the function. */
export async function importFunction({ module, name }: ExportedFunction): Promise<AnyFunction> {
  const loaded = (await import(module)) as Record<string, unknown>
  const found = Object.hasOwn(loaded, name) ? loaded[name] : undefined
  if (typeof found === 'function') return found as AnyFunction
  throw new BeamishError('BEAMISH_NO_EXPORT', {
    module,
    name,
    got: found === undefined ? 'nothing of that name' : `a ${typeof found}`,
  })
}

/** Calls it with `first` in front of its own arguments; a function of this thread at once, without a promise. */
export function runFunction(
  run: AnyFunction | ExportedFunction,
  first: readonly unknown[],
): unknown {
  if (typeof run === 'function') return run(...first)
  return importFunction(run).then((found) => found(...first, ...run.args))
}

/** What it is called in reports. */
export function functionName(run: AnyFunction | ExportedFunction): string {
  return (typeof run === 'function' ? run.name : run.name) || 'anonymous'
}
