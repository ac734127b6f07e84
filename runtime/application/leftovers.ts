/** What the processes of an application have spawned outside of its tree. They are told by their group leader, its master. */
import { defineBehaviour } from '../process/behaviour.ts'
import type { Pid } from '../process/pid.ts'
import type { Process } from '../process/process.ts'
import { call } from '../scheduler/calls.ts'
import { exitSignal } from '../scheduler/signals.ts'
import { start } from '../scheduler/starts.ts'
import { Errand } from './errand.ts'

const LEFTOVERS = 'beamish.leftovers'
/** A thread that does not answer by then is gone, or stuck, and ends by itself. */
const TIMEOUT_MS = 5_000
/** Those that are killed may have asked another thread for a process just before. */
const MAX_ROUNDS = 10

class LeftoversBehaviour extends Errand {
  readonly name = LEFTOVERS

  protected run(process: Process, _event: string, leader: unknown): number {
    const left = [...process.scheduler.slots].filter(
      (one) => one.groupLeader === leader && one !== process,
    )
    for (const one of left) exitSignal(process.scheduler, one, process.parent, 'kill', 'exit')
    return left.length
  }
}

defineBehaviour(new LeftoversBehaviour())

/** Kills them on all threads; how many there were. */
export async function killLeftovers(process: Process): Promise<number> {
  const { board } = process.scheduler
  let killed = 0
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const sweeps: Promise<number>[] = []
    for (let slot = 1; slot < board.slots; slot++) {
      if (board.isReady(slot) || board.isLeaving(slot))
        sweeps.push(sweep(process, board.holder(slot)))
    }
    const found = (await Promise.all(sweeps)).reduce((sum, count) => sum + count, 0)
    if (found === 0) break
    killed += found
  }
  return killed
}

async function sweep(process: Process, target: number): Promise<number> {
  const { scheduler } = process
  const options = { link: true, ack: true, timeoutMs: TIMEOUT_MS }
  const result = await start(scheduler, process, target, LEFTOVERS, undefined, options).result
  if (!result.ok) return 0
  const leader: Pid = process.pid
  const answered = call(scheduler, process, result.pid, 'kill', leader, TIMEOUT_MS)
  return answered.then(Number, () => 0)
}
