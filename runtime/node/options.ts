/** Options of start(), checked before anything runs: a bad one is one clear line. */
import { availableParallelism } from 'node:os'
import type { ResourceLimits } from 'node:worker_threads'
import type { DirtySettings } from '../edge/dirty.ts'
import { type LogOptions, logLevels } from '../edge/log.ts'
import { BeamishError } from '../errors.ts'

export interface StartOptions {
  /** Scheduler threads. Default: as many as the machine has cores for us. */
  readonly schedulers?: number
  /** Clones and freezes messages at the send. Default: NODE_ENV is not "production". */
  readonly development?: boolean
  /** Command-line flags of the threads, as for a Worker. Default: those of this process that a thread can have. */
  readonly execArgv?: readonly string[]
  /** Key material for signed sessions and tokens, at least 32 characters. Default: random per start. */
  readonly secretKeyBase?: string
  /** false: no log subscriber. */
  readonly log?: LogOptions | false
  /** SIGTERM and SIGINT stop the node and end the process; a second one ends it at once. Default false. */
  readonly signals?: boolean
  /**
   * Opens a socket that only this user may use, for `beamish tree` and `beamish trace` in a terminal. One node of a process
   * can have it. Default false; the command `beamish <app module>` has it.
   */
  readonly controlSocket?: boolean
  /** Milliseconds a thread may take to load the app module. Default 30,000. */
  readonly bootTimeoutMs?: number
  /** Milliseconds stop() may take before it ends what is left by force. Default 30,000. */
  readonly shutdownTimeoutMs?: number
  /** More lost threads than this within maxLostSeconds end the node. Default 5. */
  readonly maxLostThreads?: number
  /** Default 60. */
  readonly maxLostSeconds?: number
  /**
   * Milliseconds a thread may go without turning its loop before it is declared dead, ended and replaced. Default 5,000;
   * Infinity: never. Nothing counts while the inspector listens (--inspect): a breakpoint is no fault.
   */
  readonly maxBlockedMs?: number
  /**
   * Limits of each thread's heap, as for a Worker. Default: Node's, but of the young generation 24 MB (see docs/running.md). A
   * thread that meets them is lost and replaced.
   */
  readonly resourceLimits?: ResourceLimits
  /** Threads for the jobs of task.cpu, per scheduler thread. Default: the cores shared out among those, at least 1. */
  readonly dirtyThreads?: number
  /** Jobs of task.cpu that may wait for one of them, per scheduler thread; one more is refused. Default 1,000. */
  readonly maxDirtyQueue?: number
}

export interface Settings {
  readonly module: string
  readonly schedulers: number
  readonly development: boolean
  readonly execArgv: readonly string[] | undefined
  readonly secretKeyBase: string | undefined
  readonly log: LogOptions | false
  readonly signals: boolean
  readonly controlSocket: boolean
  readonly bootTimeoutMs: number
  readonly shutdownTimeoutMs: number
  readonly maxLostThreads: number
  readonly maxLostSeconds: number
  readonly maxBlockedMs: number
  readonly resourceLimits: ResourceLimits
  readonly dirty: DirtySettings
}

const MAX_THREADS = 256
/** An hour. */
export const MAX_TIMEOUT_MS = 3_600_000
const MIN_SECRET = 32

export function checkOptions(module: URL | string, options: StartOptions): Settings {
  const href = module instanceof URL ? module.href : module
  if (typeof href !== 'string' || !/^[a-z-]+:/.test(href)) {
    throw bad('module', href, "pass new URL('./app.ts', import.meta.url)")
  }
  for (const name of Object.keys(options)) {
    if (!KNOWN.includes(name)) throw bad(name, 'unknown', `use one of ${KNOWN.join(', ')}`)
  }
  for (const name of ['development', 'signals', 'controlSocket'] as const) {
    const value: unknown = options[name]
    if (value !== undefined && typeof value !== 'boolean')
      throw bad(name, value, 'give true or false')
  }
  checkLog(options.log)
  const secret = options.secretKeyBase
  if (secret !== undefined && (typeof secret !== 'string' || secret.length < MIN_SECRET)) {
    throw bad('secretKeyBase', '[hidden]', `give at least ${MIN_SECRET} random characters`)
  }
  const cores = availableParallelism()
  const schedulers = whole('schedulers', options.schedulers ?? cores, 1, MAX_THREADS)
  const share = Math.max(1, Math.floor(cores / schedulers))
  return {
    module: href,
    schedulers,
    development: options.development ?? process.env.NODE_ENV !== 'production',
    execArgv: options.execArgv,
    secretKeyBase: secret,
    log: options.log ?? {},
    signals: options.signals ?? false,
    controlSocket: options.controlSocket ?? false,
    bootTimeoutMs: whole('bootTimeoutMs', options.bootTimeoutMs ?? 30_000, 1, 600_000),
    shutdownTimeoutMs: whole(
      'shutdownTimeoutMs',
      options.shutdownTimeoutMs ?? 30_000,
      0,
      MAX_TIMEOUT_MS,
    ),
    maxLostThreads: whole('maxLostThreads', options.maxLostThreads ?? 5, 0, 1_000_000),
    maxLostSeconds: whole('maxLostSeconds', options.maxLostSeconds ?? 60, 1, 86_400),
    maxBlockedMs:
      options.maxBlockedMs === Number.POSITIVE_INFINITY
        ? options.maxBlockedMs
        : whole('maxBlockedMs', options.maxBlockedMs ?? 5_000, 100, 3_600_000),
    resourceLimits: checkResourceLimits(options.resourceLimits),
    dirty: {
      threads: whole('dirtyThreads', options.dirtyThreads ?? share, 1, MAX_THREADS),
      maxQueue: whole('maxDirtyQueue', options.maxDirtyQueue ?? 1_000, 0, 1_000_000),
    },
  }
}

const KNOWN: readonly string[] = [
  'schedulers',
  'development',
  'execArgv',
  'secretKeyBase',
  'log',
  'signals',
  'controlSocket',
  'bootTimeoutMs',
  'shutdownTimeoutMs',
  'maxLostThreads',
  'maxLostSeconds',
  'maxBlockedMs',
  'resourceLimits',
  'dirtyThreads',
  'maxDirtyQueue',
] satisfies (keyof StartOptions)[]

function checkLog(log: unknown): void {
  if (log === undefined || log === false) return
  if (typeof log !== 'object' || log === null)
    throw bad('log', log, 'give { level, file } or false')
  const { level } = log as LogOptions
  if (level !== undefined && !logLevels.includes(level)) {
    throw bad('log.level', level, `use one of ${logLevels.join(', ')}`)
  }
}

const LIMITS: readonly string[] = [
  'maxOldGenerationSizeMb',
  'maxYoungGenerationSizeMb',
  'codeRangeSizeMb',
  'stackSizeMb',
] satisfies (keyof ResourceLimits)[]

/** Node's 96 MB stay resident once they were needed, as by a crowd that connects: 7 kB for each of 5,000 clients. */
const YOUNG_MB = 24

function checkResourceLimits(limits: ResourceLimits = {}): ResourceLimits {
  if (typeof limits !== 'object' || limits === null) {
    throw bad('resourceLimits', limits, 'give { maxOldGenerationSizeMb }')
  }
  for (const [name, value] of Object.entries(limits)) {
    if (!LIMITS.includes(name)) {
      throw bad(`resourceLimits.${name}`, 'unknown', `use one of ${LIMITS.join(', ')}`)
    }
    if (!(typeof value === 'number' && value > 0)) {
      throw bad(`resourceLimits.${name}`, value, 'give megabytes, more than 0')
    }
  }
  return { maxYoungGenerationSizeMb: YOUNG_MB, ...limits }
}

export function whole(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw bad(option, value, `give a whole number from ${least} to ${most}`)
}

function bad(option: string, got: unknown, fix: string): BeamishError {
  return new BeamishError('BEAMISH_BAD_OPTION', { option, got: JSON.stringify(got), fix })
}
