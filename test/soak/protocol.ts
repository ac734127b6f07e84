/** What the test process and the process of the node under test say to each other. */
import type { StartOptions, ThreadStats } from 'beamish'
import type { FaultRequest } from './app.ts'
import type { Way } from './faults.ts'

/** Milliseconds of a clock that both processes share: CLOCK_MONOTONIC counts for the whole machine. */
export const clockMs = (): number => Number(process.hrtime.bigint()) / 1e6

/** How the node is started; the child's one argument, as JSON. */
export interface ServerSettings {
  readonly schedulers: number
  readonly options: StartOptions
}

export interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export function percentiles(samples: readonly number[]): Percentiles {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** Durations of calls in milliseconds, raw; latency.ts says what each is. */
export interface Calls {
  readonly onMain: readonly number[]
  readonly toMain: readonly number[]
  readonly toThread: readonly number[]
}

/** Since the last time this was asked for. */
export interface Measured {
  readonly calls: Calls
  /** Processor time of the node's process since its start. */
  readonly processorMs: number
}

export interface Counted {
  /** Main's first, as scheduler 0. */
  readonly stats: readonly ThreadStats[]
  /** Open file descriptors of the whole process, where the system tells. */
  readonly descriptors: number | undefined
}

export interface ChurnRequest {
  readonly seed: number
  /** Processes to kill, threads to kill meanwhile. */
  readonly processes: number
  readonly threads: number
}

/** Kinds of processes to be killed; `each` is a child that every thread has, other than its endpoint. */
export const KINDS = [
  'view',
  'transport',
  'worker',
  'guest',
  'endpoint',
  'dynamicSupervisor',
  'each',
] as const
export type Kind = (typeof KINDS)[number]

/** The ways threads are brought down meanwhile. */
export type ThreadWay = Extract<Way, 'terminate' | 'exit' | 'throw' | 'rejection'>

/** One that was ended, on which thread, and by which reason or in which way. */
export type Kill =
  | { readonly kind: Kind; readonly scheduler: number; readonly by: string }
  | { readonly kind: 'thread'; readonly scheduler: number; readonly by: ThreadWay }

/** Commands by name: argument and answer. */
export interface Commands {
  fault: { argument: FaultRequest; answer: null }
  kill: { argument: number; answer: null }
  schedulers: { argument: null; answer: number[] }
  /** The thread that the singleton runs on, by its own word. */
  singleton: { argument: null; answer: number }
  latency: { argument: null; answer: Measured }
  /** After garbage collection everywhere. */
  count: { argument: null; answer: Counted }
  churn: { argument: ChurnRequest; answer: Kill[] }
  stop: { argument: null; answer: null }
}

/** What the child tells unasked. `at` is clockMs(). */
export type ServerEvent =
  | { readonly event: 'ready'; readonly base: string; readonly schedulers: number[] }
  | { readonly event: 'serving'; readonly scheduler: number; readonly at: number }
  | { readonly event: 'singleton'; readonly scheduler: number; readonly at: number }
  | {
      /** The node has given the thread up. */
      readonly event: 'lost'
      readonly scheduler: number
      readonly at: number
      readonly cause: string
      readonly message: string | undefined
    }
  /** The thread is really gone, with its sockets. */
  | { readonly event: 'ended'; readonly scheduler: number; readonly at: number }
  /** The node has ended, and should not have. */
  | { readonly event: 'closed'; readonly message: string }

export type FromServer =
  | ServerEvent
  | { readonly event: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly event: 'refused'; readonly id: number; readonly message: string }

export interface ToServer {
  readonly id: number
  readonly do: keyof Commands
  readonly argument: unknown
}
