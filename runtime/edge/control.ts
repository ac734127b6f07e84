/**
 * The control plane between main and its threads, on comlink: start, stop, inspect. It is never used for messages. Every
 * call has a timeout and is rejected when the thread ends (comlink alone leaves such a call pending for ever).
 */
import type { MessagePort } from 'node:worker_threads'
import { expose, type Remote, transfer, wrap } from 'comlink'
import { BeamishError, type ErrorCode } from '../errors.ts'
import type { ThreadLook } from '../observe/look.ts'
import type { LookOptions } from '../observe/options.ts'
import type { TraceSpec } from '../observe/traceOptions.ts'

/** What a thread answers to. Arguments and results are plain data. */
export interface ThreadControl {
  /** Imports the app module. */
  boot(): Promise<BootAnswer>
  /** Closes listeners: no new connections from here on. */
  stopAccepting(): Promise<void>
  /** Closes what is open, in order, within `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>
  /** Ends what others have placed here; what has not ended within `timeoutMs`, as text. */
  vacate(timeoutMs: number): Promise<string[]>
  /** Everything said until now is on its way to the other threads when this resolves. */
  flush(): void
  stats(): ThreadStats
  /** Its part of observe(). */
  look(options: LookOptions): Promise<ThreadLook>
  /** Tells what happens over a port, until that is closed. */
  trace(spec: TraceSpec, port: MessagePort): void
}

/** The default export of the app module, or what in it cannot leave the thread. */
export type BootAnswer =
  | { readonly exported: unknown }
  | { readonly failed: { readonly code: ErrorCode; readonly fields: Record<string, unknown> } }
  | { readonly uncloneable: { readonly path: string; readonly what: string } }

/** Counts of one scheduler: of its own processes unless said otherwise. */
export interface ThreadStats {
  /** 0 is main. */
  readonly scheduler: number
  readonly processes: number
  /** Of these, asleep. */
  readonly hibernated: number
  /** Handled since the start. */
  readonly messages: number
  /** Sent to other schedulers since the start. */
  readonly batches: number
  readonly timers: number
  readonly topics: number
  readonly subscriptions: number
  /** Of the whole node, keys of unique registries included. */
  readonly names: number
  /** Keys in unique registries. */
  readonly keys: number
  /** Entries in duplicate registries. */
  readonly entries: number
  readonly links: number
  readonly monitors: number
  /** Monitors and calls of others that point here. */
  readonly watchers: number
  /** Answers that are awaited: calls, starts, questions to other schedulers. */
  readonly pending: number
  /** Messages in mailboxes. */
  readonly queued: number
  /** Messages that full mailboxes did not take since the start. */
  readonly dropped: number
  /** Schedulers it has a port to. */
  readonly peers: number
  /** What keeps its event loop busy, by Node's type (process.getActiveResourcesInfo): sockets, ports, host timers. */
  readonly resources: Readonly<Record<string, number>>
  readonly heapUsedBytes: number
}

// comlink types its endpoint for browsers; a Node port has the same methods.
type Endpoint = Parameters<typeof wrap>[0]
type Transferables = Parameters<typeof transfer>[1]
const endpoint = (port: MessagePort): Endpoint => port as unknown as Endpoint

export function exposeControl(port: MessagePort, control: ThreadControl): void {
  expose(control, endpoint(port))
}

export class ControlClient {
  readonly #scheduler: number
  readonly #remote: Remote<ThreadControl>
  readonly #port: MessagePort
  readonly #waiting = new Set<(error: Error) => void>()
  #gone: string | undefined

  constructor(scheduler: number, port: MessagePort) {
    this.#scheduler = scheduler
    this.#port = port
    this.#remote = wrap<ThreadControl>(endpoint(port))
  }

  boot(timeoutMs: number): Promise<BootAnswer> {
    return this.#limited('boot', timeoutMs, async () => (await this.#remote.boot()) as BootAnswer)
  }

  stopAccepting(timeoutMs: number): Promise<void> {
    return this.#limited('stopAccepting', timeoutMs, () => this.#remote.stopAccepting())
  }

  /** The thread is given `timeoutMs`, the call a little more. */
  drain(timeoutMs: number): Promise<void> {
    return this.#limited('drain', timeoutMs + 1_000, () => this.#remote.drain(timeoutMs))
  }

  /** The thread is given `timeoutMs`, the call a little more. */
  vacate(timeoutMs: number): Promise<string[]> {
    return this.#limited('vacate', timeoutMs + 1_000, () => this.#remote.vacate(timeoutMs))
  }

  flush(timeoutMs: number): Promise<void> {
    return this.#limited('flush', timeoutMs, () => this.#remote.flush())
  }

  stats(timeoutMs = 5_000): Promise<ThreadStats> {
    return this.#limited('stats', timeoutMs, () => this.#remote.stats())
  }

  /** The thread's own window is part of the time. */
  look(options: LookOptions, timeoutMs: number): Promise<ThreadLook> {
    return this.#limited('look', timeoutMs, () => this.#remote.look(options))
  }

  /** Resolves when it traces. */
  trace(spec: TraceSpec, port: MessagePort, timeoutMs: number): Promise<void> {
    const sent = transfer(port, [port] as unknown as Transferables)
    return this.#limited('trace', timeoutMs, () => this.#remote.trace(spec, sent as never))
  }

  /** The thread has ended: nothing will be answered any more. */
  gone(message: string): void {
    this.#gone = message
    for (const reject of this.#waiting) reject(this.#goneError('a call'))
    this.#waiting.clear()
    this.#port.close()
  }

  #goneError(call: string): BeamishError {
    return new BeamishError('BEAMISH_CONTROL_GONE', {
      scheduler: this.#scheduler,
      call,
      message: this.#gone,
    })
  }

  #limited<T>(call: string, timeoutMs: number, run: () => Promise<T>): Promise<T> {
    if (this.#gone !== undefined) return Promise.reject(this.#goneError(call))
    return new Promise<T>((resolve, reject) => {
      const fail = (error: unknown): void => {
        clearTimeout(timer)
        this.#waiting.delete(fail)
        reject(error)
      }
      const timer = setTimeout(() => {
        fail(
          new BeamishError('BEAMISH_CONTROL_TIMEOUT', {
            scheduler: this.#scheduler,
            call,
            timeoutMs,
          }),
        )
      }, timeoutMs)
      this.#waiting.add(fail)
      run().then((value) => {
        clearTimeout(timer)
        this.#waiting.delete(fail)
        resolve(value)
      }, fail)
    })
  }
}
