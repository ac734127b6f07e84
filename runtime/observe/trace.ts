/** node.trace(): main's side of a trace. It is asked of every thread, of replacements too, and ends by itself. */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { NodeTraceEvent, TraceSettings, TraceSpec } from './traceOptions.ts'
import { tracedBy, traceTo } from './tracePort.ts'

/** How a trace ended, and what it told. */
export interface TraceEnd {
  /** stopped: by stop() or by leaving the iteration. listener: onEvent threw. node: the node has ended. */
  readonly reason: 'stopped' | 'limit' | 'timeout' | 'node' | 'listener'
  readonly events: number
  /** Events that came faster than main took them. */
  readonly dropped: number
  /** What the listener threw. */
  readonly error?: unknown
}

/** A trace under way. Iterating over it takes the events one by one, if it has no `onEvent`; leaving that stops it. */
export interface NodeTrace extends AsyncIterable<NodeTraceEvent> {
  /** Ends it: no event is told from now on. */
  stop(): void
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<TraceEnd>
}

/** Asks a thread to trace; resolves when it does. */
export type AskTrace = (spec: TraceSpec, port: MessagePort) => Promise<void>

class Trace implements NodeTrace {
  readonly ended: Promise<TraceEnd>
  readonly #settings: TraceSettings
  readonly #ports: MessagePort[] = []
  readonly #dropped: number[] = []
  /** Nobody has taken them yet; no more than the limit. */
  readonly #waiting: NodeTraceEvent[] = []
  readonly #timer: ReturnType<typeof setTimeout>
  #end: ((end: TraceEnd) => void) | undefined
  /** Ends the wait of whoever iterates. */
  #wake: () => void = () => {}
  #events = 0

  constructor(settings: TraceSettings) {
    this.#settings = settings
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
    this.#timer = setTimeout(() => this.end('timeout'), settings.timeoutMs)
    this.#timer.unref()
  }

  async on(ask: AskTrace): Promise<void> {
    if (this.#end === undefined) return
    const { port1, port2 } = new MessageChannel()
    const at = this.#ports.push(port1) - 1
    this.#dropped[at] = 0
    tracedBy(port1, (event, dropped) => {
      this.#dropped[at] = dropped
      if (event !== undefined) this.#tell(event)
    })
    // It must not keep a program alive that has ended otherwise.
    port1.unref()
    // One that is stuck begins when it can; one that is lost has a replacement, which is asked, too.
    await ask(this.#settings.spec, port2).catch(() => {})
  }

  #tell(event: NodeTraceEvent): void {
    if (this.#end === undefined) return
    const { onEvent, spec } = this.#settings
    this.#events++
    if (onEvent === undefined) {
      this.#waiting.push(event)
      this.#wake()
    } else {
      try {
        onEvent(event)
      } catch (error) {
        this.end('listener', error)
      }
    }
    if (this.#events >= spec.limit) this.end('limit')
  }

  stop(): void {
    this.end('stopped')
  }

  end(reason: TraceEnd['reason'], error?: unknown): void {
    const end = this.#end
    if (end === undefined) return
    this.#end = undefined
    clearTimeout(this.#timer)
    for (const port of this.#ports) port.close()
    const dropped = this.#dropped.reduce((sum, one) => sum + one, 0)
    end({ reason, events: this.#events, dropped, ...(error === undefined ? {} : { error }) })
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<NodeTraceEvent, void> {
    try {
      for (;;) {
        const event = this.#waiting.shift()
        if (event !== undefined) yield event
        else if (this.#end === undefined) return
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
      }
    } finally {
      this.stop()
    }
  }
}

/** Main as one that traces. */
export const traceMain =
  (scheduler: Scheduler): AskTrace =>
  async (spec, port) =>
    traceTo(port, scheduler, spec)

/** The traces of a node. */
export class Traces {
  readonly #under = new Set<Trace>()

  /** Resolves when every thread that answers traces. */
  async begin(settings: TraceSettings, threads: readonly AskTrace[]): Promise<NodeTrace> {
    const trace = new Trace(settings)
    this.#under.add(trace)
    void trace.ended.then(() => this.#under.delete(trace))
    await Promise.all(threads.map((ask) => trace.on(ask)))
    return trace
  }

  /** A replacement is being booted: it traces from its first step on. */
  introduce(ask: AskTrace): void {
    for (const trace of this.#under) void trace.on(ask)
  }

  /** The node has ended. */
  end(): void {
    for (const trace of this.#under) trace.end('node')
  }
}
