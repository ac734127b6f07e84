/**
 * The supervisor of one thread: it keeps the children of the root that are placed `each`. Under one_for_one it restarts them
 * by itself; where their siblings are tied to them it tells the root, and does what the root says.
 */
import type { ExitReason } from '../exit/reason.ts'
import { defineBehaviour } from '../process/behaviour.ts'
import type { Pid } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { cast } from '../scheduler/calls.ts'
import { type ChildSpec, childSpec } from '../supervisor/childSpec.ts'
import type { SupervisorSpec } from '../supervisor/spec.ts'
import type { Child } from '../supervisor/supervising.ts'
import { SupervisorBehaviour } from '../supervisor/supervisor.ts'

const THREAD_SUPERVISOR = 'beamish.threadSupervisor'

/** The cast that tells the root of the end of a child, under the strategies that tie others to it. */
export const EACH_ENDED = 'eachEnded'

export interface EachEnded {
  readonly scheduler: number
  readonly id: string
  readonly pid: Pid
  readonly reason: ExitReason
}

class ThreadSupervisorBehaviour extends SupervisorBehaviour {
  override readonly name: string = THREAD_SUPERVISOR

  protected override ended(process: Process, child: Child, pid: Pid, reason: ExitReason): unknown {
    if (this.state(process).strategy === 'one_for_one') {
      return super.ended(process, child, pid, reason)
    }
    const scheduler = process.scheduler.id
    const told: EachEnded = { scheduler, id: child.spec.id, pid, reason }
    return cast(process.scheduler, process.pid, process.parent, EACH_ENDED, told)
  }
}

defineBehaviour(new ThreadSupervisorBehaviour())

/** With the limits of the root: one that spends them on its thread counts once at the root. */
export function threadSupervisor(
  scheduler: number,
  limits: Pick<SupervisorSpec, 'strategy' | 'maxRestarts' | 'maxSeconds'>,
): ChildSpec {
  const argument: SupervisorSpec = { ...limits, children: [] }
  const id = `thread ${scheduler}`
  return childSpec(THREAD_SUPERVISOR, argument, { id, place: { scheduler } }, 'supervisor')
}
