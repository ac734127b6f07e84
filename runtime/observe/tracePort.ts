/**
 * The way of trace events from a thread to main. Each leaves at once, so that what a thread did before it got stuck is known;
 * but only so many may be on the way: what comes on top of them is dropped and counted, so that no trace, however hot the
 * process, can fill the memory of main.
 */
import type { MessagePort } from 'node:worker_threads'
import { asNobody } from '../process/strays.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { addTracer } from '../scheduler/tracers.ts'
import { ThreadTrace } from './threadTrace.ts'
import type { NodeTraceEvent, TraceSpec } from './traceOptions.ts'

/** What a thread says: an event, and how many it had to drop until then. */
export interface Told {
  readonly event: NodeTraceEvent | undefined
  readonly dropped: number
}

/** Events on the way that main has not taken yet, at most. */
const MAX_UNDERWAY = 512
/** Main says that it has taken so many. */
const TAKEN = 64

/** On a thread: traces until `port` is closed, by main or with the thread. */
export function traceTo(port: MessagePort, scheduler: Scheduler, spec: TraceSpec): void {
  let underway = 0
  let dropped = 0
  let told = 0
  const post = (event: NodeTraceEvent | undefined): void => {
    told = dropped
    port.postMessage({ event, dropped } satisfies Told)
  }
  const trace = new ThreadTrace(scheduler, spec, (event, left) => {
    if (underway >= MAX_UNDERWAY) {
      dropped++
      return false
    }
    underway++
    post(event)
    if (left === 0) end()
    return true
  })
  const end = addTracer(scheduler, trace)
  // Asked for by main: whatever process runs just now has no part in it.
  asNobody(() => {
    port.on('message', (taken: number) => {
      underway -= taken
      if (dropped > told) post(undefined)
    })
    port.on('close', end)
    port.unref()
  })
}

/** On main: calls `tell` with each event, and with how many the thread has dropped until then. */
export function tracedBy(
  port: MessagePort,
  tell: (event: NodeTraceEvent | undefined, dropped: number) => void,
): void {
  let taken = 0
  port.on('message', ({ event, dropped }: Told) => {
    if (event !== undefined && ++taken % TAKEN === 0) port.postMessage(TAKEN)
    tell(event, dropped)
  })
}
