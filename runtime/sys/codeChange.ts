/**
 * A change of code: loads a version of a behaviour on the thread of a suspended process, lets the versions turn the state
 * into what the new one knows, and puts that version in force, for this process and for those started here from now on.
 */
import { BeamishError } from '../errors.ts'
import {
  type Behaviour,
  type CodeChange,
  redefineBehaviour,
  whileLoading,
} from '../process/behaviour.ts'
import { formatPid } from '../process/pid.ts'
import { type Process, Status } from '../process/process.ts'
import type { Attended } from './attended.ts'
import { load, moduleError, stateOf } from './requests.ts'

export interface CodeChangeRequest extends CodeChange {
  /** URL of the module. */
  readonly module: string
}

export async function changeCode(
  process: Process,
  attended: Attended,
  request: CodeChangeRequest,
): Promise<void> {
  const { behaviour, pid } = process
  if (!attended.suspended) {
    const fields = { behaviour: behaviour.name, pid: formatPid(pid) }
    throw new BeamishError('BEAMISH_SYS_RUNNING', fields)
  }
  const { data } = behaviour
  if (data === undefined) {
    const why = 'its code is the library’s'
    throw new BeamishError('BEAMISH_SYS_REFUSED', {
      behaviour: behaviour.name,
      pid: formatPid(pid),
      request: 'changeCode',
      why,
    })
  }
  const { module, ...change } = request
  const loaded = await whileLoading(() => load(process, 'changeCode', module))
  const version = Object.values(loaded).find((one) => isVersion(one, behaviour)) as
    | Behaviour
    | undefined
  if (version === undefined) {
    const why = `exports no behaviour named "${behaviour.name}" of the same kind`
    throw moduleError(process, 'changeCode', module, why)
  }
  const judge = change.direction === 'up' ? version : behaviour
  const before = stateOf(process, attended)
  const state = judge.codeChange === undefined ? before : await judge.codeChange(before, change)
  // It may have ended while the version was loaded.
  if (process.status === Status.Dead) return
  const { asleep } = attended
  attended.wake(process)
  data.set(process, state)
  process.behaviour = version
  redefineBehaviour(version)
  if (asleep !== undefined) process.scheduler.sleepers.soon(process)
}

function isVersion(one: unknown, behaviour: Behaviour): boolean {
  return (
    typeof one === 'object' &&
    one !== null &&
    (one as { name?: unknown }).name === behaviour.name &&
    Object.getPrototypeOf(one) === Object.getPrototypeOf(behaviour)
  )
}
