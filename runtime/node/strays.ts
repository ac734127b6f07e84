/**
 * The strays of one thread: errors that come up outside of any handler, and calls of process.exit(). One that a process left
 * behind ends that process; one that is nobody's ends the thread, as in any Node program, but never without a report.
 */
import { syncBuiltinESMExports } from 'node:module'
import { getCallSites } from 'node:util'
import { BeamishError } from '../errors.ts'
import { publish } from '../events.ts'
import { type ExitReason, formatReason, plain, reasonOf, reasonStack } from '../exit/reason.ts'
import { formatPid } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { asNobody, currentOwner, type Stray } from '../process/strays.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'

/** The least time between two notices of strays of the dead, but for the first of each process. */
const AFTER_EXIT_MS = 1_000

/** Watches the thread this is called on. */
export function watchStrays(scheduler: Scheduler): void {
  const endThread = process.exit
  const exits = new WeakSet<object>()
  const afterExit = new AfterExit(scheduler)
  let ending = false

  const end = (owner: Process, thrown: unknown, stray: Stray): void => {
    if (!owner.alive) {
      afterExit.tell(owner, thrown, stray)
      return
    }
    const reason = plain(reasonOf(thrown))
    // Like an exit signal from outside of its callbacks: no terminate, whatever it traps (OTP).
    scheduler.report(owner, reason, owner.lastMessage, stray)
    scheduler.exit(owner, reason)
  }

  // A throw in here ends the thread, so nothing may look at what was thrown but reasonOf.
  process.on('uncaughtException', (thrown: unknown, origin: Stray) => {
    // It ended its process when it was thrown; here it has only run on to the end of its stack.
    if (exits.has(thrown as object)) return
    const owner = currentOwner()
    if (owner !== undefined) {
      end(owner, thrown, origin)
      return
    }
    const handled = process.listenerCount('uncaughtException') > 1
    reportNobodys(plain(reasonOf(thrown)), origin, handled)
    // The app has a listener of its own: as without us, it decides.
    if (handled) return
    ending = true
    // Node omits this when a listener throws.
    process.emit('exit', 1)
    throw thrown
  })

  process.exit = function exit(...args: [code?: number | string | null]): never {
    if (ending || isNodesOwn()) return endThread(...args)
    const owner = currentOwner() ?? scheduler.current
    const code = String(args[0] ?? process.exitCode ?? 0)
    const where =
      owner === undefined
        ? 'outside of any process, and its thread ends for it'
        : `in ${formatPid(owner.pid)}, which ends for it`
    const error = new BeamishError('BEAMISH_PROCESS_EXIT', { code, where })
    Error.captureStackTrace(error, exit)
    if (owner === undefined) {
      ending = true
      reportNobodys(reasonOf(error), 'process.exit', false)
      return endThread(...args)
    }
    exits.add(error)
    end(owner, error, 'process.exit')
    throw error
  }
  // `import { exit } from 'node:process'` is this one, too.
  syncBuiltinESMExports()
}

/** Node ends the thread for an error that a listener of the app let through: a process.exit() that nobody called. */
function isNodesOwn(): boolean {
  // This function, exit, who called it.
  return getCallSites(3)[2]?.scriptName === 'node:internal/main/worker_thread'
}

/** Tells of strays of processes that have ended: an interval that fails, left behind, fails for as long as its thread lives. */
class AfterExit {
  readonly #scheduler: Scheduler
  readonly #told = new WeakSet<Process>()
  #nextAt = 0
  #dropped = 0

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  tell(owner: Process, thrown: unknown, stray: Stray): void {
    const now = this.#scheduler.host.now()
    if (now < this.#nextAt && this.#told.has(owner)) {
      this.#dropped++
      return
    }
    const dropped = this.#dropped
    this.#told.add(owner)
    this.#nextAt = now + AFTER_EXIT_MS
    this.#dropped = 0
    const reason = plain(reasonOf(thrown))
    const more = dropped === 0 ? '' : ` (${dropped} more since the last line like this)`
    // A subscriber of the bare channel that throws would come back here for ever as this process's.
    asNobody(() =>
      publish('notice', () => ({
        level: 'warn',
        code: 'stray_after_exit',
        message: `${owner.behaviour.name} ${formatPid(owner.pid)}, which has ended, left something behind that failed: ${formatReason(reason)}${more}`,
        stray,
        stack: reasonStack(reason),
        dropped,
      })),
    )
  }
}

function reportNobodys(reason: ExitReason, stray: Stray, handled: boolean): void {
  const what = handled ? 'is left to the listener of the app' : 'ends its thread'
  publish('notice', () => ({
    level: 'error',
    code: 'stray',
    message: `a stray that belongs to no process ${what}: ${formatReason(reason)} (${stray})`,
    stray,
    stack: reasonStack(reason),
  }))
}
