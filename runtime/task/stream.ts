/** A stream of tasks: items in, outcomes out, with a bound on what runs and on what waits to be taken. */
import { BeamishError } from '../errors.ts'
import type { ExitReason } from '../exit/reason.ts'
import type { Ref } from '../process/pid.ts'
import { type Process, Status } from '../process/process.ts'
import type { AnyFunction, RemoteFunction } from '../process/remoteFunction.ts'
import { checkDelay } from '../scheduler/delay.ts'
import type { TaskEntry } from './entry.ts'
import { launch, type TaskOptions } from './launch.ts'

export interface StreamOptions extends TaskOptions {
  /** Tasks that run at a time. Default: the number of scheduler threads. */
  readonly maxConcurrency?: number
  /** Outcomes in the order of their items. Default true; false: as they come. */
  readonly ordered?: boolean
  /** Outcomes that wait for a slower one before them, at most: then no new task starts. Default 1,000. */
  readonly maxBuffered?: number
  /** Milliseconds one task may take. Default 5,000; Infinity: any. */
  readonly timeoutMs?: number
  /** exit (default): the owner exits with timeout. kill_task: the task is killed, and `{ exit: 'timeout' }` is its item. */
  readonly onTimeout?: 'exit' | 'kill_task'
  /** An `{ exit }` also has the `input` it is about. Default false. */
  readonly zipInputOnExit?: boolean
}

/** One outcome of a stream. */
export type StreamResult<T, R> =
  | { readonly ok: R }
  | { readonly exit: ExitReason; readonly input?: T }

interface Item<T> {
  readonly input: T
  readonly entry: TaskEntry
  timer: Ref | undefined
  timedOut: boolean
}

const TIMEOUT_MS = 5_000
const MAX_BUFFERED = 1_000

function whole(option: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value
  const fix = 'give a whole number from 1 up'
  throw new BeamishError('BEAMISH_BAD_OPTION', { option, got: String(value), fix })
}

export function stream<T, R>(
  owner: Process,
  items: Iterable<T> | AsyncIterable<T>,
  run: AnyFunction | RemoteFunction,
  link: boolean,
  options: StreamOptions,
): AsyncGenerator<StreamResult<T, R>> {
  const threads = Math.max(1, owner.scheduler.board.slots - 1)
  const { timeoutMs = TIMEOUT_MS } = options
  checkDelay(timeoutMs)
  const limits = {
    concurrency: whole('maxConcurrency', options.maxConcurrency ?? threads),
    buffered: whole('maxBuffered', options.maxBuffered ?? MAX_BUFFERED),
    timeoutMs,
  }
  const start = (input: T) => launch(owner, 'task.asyncStream', run, [input], link, options, true)
  return outcomes(owner, items, start, limits, options)
}

async function* outcomes<T, R>(
  owner: Process,
  items: Iterable<T> | AsyncIterable<T>,
  start: (input: T) => TaskEntry,
  limits: { concurrency: number; buffered: number; timeoutMs: number },
  { ordered = true, onTimeout = 'exit', zipInputOnExit = false }: StreamOptions,
): AsyncGenerator<StreamResult<T, R>> {
  const source = iterate(items)
  const { clock } = owner.scheduler
  /** In the order of the input: running ones, and outcomes that were not taken. */
  const line: Item<T>[] = []
  let running = 0
  let ended = false
  let asking = false
  let failure: { readonly thrown: unknown } | undefined
  let late: Item<T> | undefined
  let wake: () => void = () => {}

  const begin = (input: T): void => {
    const entry = start(input)
    const item: Item<T> = { input, entry, timer: undefined, timedOut: false }
    line.push(item)
    running++
    item.timer =
      limits.timeoutMs === Number.POSITIVE_INFINITY
        ? undefined
        : clock.after(owner, limits.timeoutMs, () => {
            item.timedOut = true
            if (onTimeout === 'exit') late ??= item
            else void entry.end('kill')
            wake()
          })
    entry.onOutcome(() => {
      if (item.timer !== undefined) clock.cancelRef(item.timer)
      running--
      wake()
    })
  }
  /** Asks for one item; a slow source does not hold up what is finished. */
  const ask = (): void => {
    asking = true
    source.next().then(
      (next) => {
        asking = false
        if (next.done === true) ended = true
        else if (!closed) {
          try {
            begin(next.value)
          } catch (thrown) {
            failure ??= { thrown }
          }
        }
        wake()
      },
      (thrown: unknown) => {
        asking = false
        failure ??= { thrown }
        wake()
      },
    )
  }
  const finished = (): Item<T> | undefined => {
    const at = ordered ? 0 : line.findIndex(({ entry }) => entry.outcome !== undefined)
    return line[at]?.entry.outcome === undefined ? undefined : line.splice(at, 1)[0]
  }

  let closed = false
  try {
    for (;;) {
      if (owner.status === Status.Dead) await new Promise(() => {})
      if (failure !== undefined) throw failure.thrown
      if (late !== undefined) throw late.entry.failed('task.asyncStream', 'timeout')
      const may = running < limits.concurrency && line.length - running < limits.buffered
      if (may && !ended && !asking) ask()
      const item = finished()
      if (item !== undefined) {
        yield resultOf<T, R>(item, zipInputOnExit)
        continue
      }
      if (ended && line.length === 0) return
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    closed = true
    for (const { entry, timer } of line) {
      if (timer !== undefined) clock.cancelRef(timer)
      void entry.end('kill')
      entry.take()
    }
    // A source that is being asked ends when it answers: nobody waits for that.
    const returned = ended ? undefined : source.return?.()
    if (asking) returned?.catch(() => {})
    else await returned
  }
}

function resultOf<T, R>({ input, entry, timedOut }: Item<T>, zip: boolean): StreamResult<T, R> {
  const result = entry.take() as { readonly ok: R } | { readonly exit: ExitReason }
  if ('ok' in result) return result
  const exit = timedOut && result.exit === 'killed' ? 'timeout' : result.exit
  return zip ? { exit, input } : { exit }
}

/** One way to ask both kinds of sources; what a plain one throws is a rejection. */
function iterate<T>(items: Iterable<T> | AsyncIterable<T>): {
  next(): Promise<IteratorResult<T>>
  return?(): Promise<unknown>
} {
  if (Symbol.asyncIterator in items) {
    const found = items[Symbol.asyncIterator]()
    return {
      next: () => found.next(),
      return: async () => found.return?.(),
    }
  }
  const found = items[Symbol.iterator]()
  return {
    next: async () => found.next(),
    return: async () => found.return?.(),
  }
}
