/** task.cpu: work that would block its scheduler, on the dirty threads of the owner's thread (edge/dirty.ts). */
import type { DirtyPool } from '../edge/dirty.ts'
import { Exit, type ExitReason, reasonOf } from '../exit/reason.ts'
import { localNode } from '../node/local.ts'
import { afterDeath } from '../process/afterDeath.ts'
import { type Pending, Status } from '../process/process.ts'
import { checkRunnable, type ExportedFunction } from '../process/remoteFunction.ts'
import { Self } from '../process/self.ts'
import { asNobody, rejectAs } from '../process/strays.ts'
import { checkDelay } from '../scheduler/delay.ts'
import { isolate } from '../scheduler/isolate.ts'

export interface CpuOptions {
  /** Milliseconds for the wait in line and the work together; then the worker is ended. Default 5,000. */
  readonly timeoutMs?: number
  /** Buffers and ports in the arguments that move instead of being copied. */
  readonly transfer?: readonly unknown[]
  /** Ends the job. */
  readonly signal?: AbortSignal
}

const TIMEOUT_MS = 5_000

/**
 * Runs an exported function, as `name(...args)`, on a thread that runs no processes, and resolves with what it returns.
 * Rejects with an Exit `{ call, reason }` that ends the process if not caught: what the function threw as data, how its worker
 * ended, timeout, or killed after an abort. The job ends with the process that asked for it. `task.moved(value, [buffer])` as
 * the function's result moves its buffers.
 * @throws BEAMISH_DIRTY_QUEUE when more than maxDirtyQueue jobs wait on this thread
 */
export function cpu<R = unknown>(
  self: Self,
  module: string | URL,
  name: string,
  args: readonly unknown[] = [],
  options: CpuOptions = {},
): Promise<R> {
  const process = Self.processOf(self)
  const { timeoutMs = TIMEOUT_MS, transfer = [], signal } = options
  checkDelay(timeoutMs)
  const found = checkRunnable('task.cpu', { module, name, args }) as ExportedFunction
  if (process.status === Status.Dead) return afterDeath(process)
  const { scheduler } = process
  const isolates = scheduler.development && transfer.length === 0
  const sent = isolates ? isolate(found, process.pid, name) : found
  const { dirty } = localNode(self)
  return new Promise<R>((resolve, reject) => {
    const controller = new AbortController()
    const ref = scheduler.refs.next()
    const end = (): void => {
      process.pending?.delete(ref)
      if (timer !== undefined) scheduler.clock.cancelRef(timer)
      signal?.removeEventListener('abort', aborted)
    }
    const fail = (reason: ExitReason): void => {
      end()
      controller.abort()
      const to = `${sent.module}`
      rejectAs(process, reject, new Exit({ call: { to, event: name }, reason }))
    }
    const aborted = (): void => fail(reasonOf(signal?.reason))
    const pending: Pending = {
      scheduler: scheduler.id,
      reply: () => {},
      down: fail,
      abandon: () => {
        signal?.removeEventListener('abort', aborted)
        controller.abort()
      },
    }
    process.pendingOrNew().set(ref, pending)
    const timer =
      timeoutMs === Number.POSITIVE_INFINITY
        ? undefined
        : scheduler.clock.after(process, timeoutMs, () => fail('timeout'))
    if (signal?.aborted === true) {
      aborted()
      return
    }
    signal?.addEventListener('abort', aborted)
    asNobody(() => dirty.pool())
      .then((pool: DirtyPool) => pool.run(sent, transfer, controller.signal))
      .then(
        (value) => {
          if (controller.signal.aborted) return
          end()
          resolve(value as R)
        },
        (thrown: unknown) => {
          if (controller.signal.aborted) return
          if (thrown instanceof Exit) fail(thrown.reason)
          else {
            end()
            rejectAs(process, reject, thrown)
          }
        },
      )
  })
}
