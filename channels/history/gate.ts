/**
 * Few at a time: of a thousand clients that come back at once, each thread asks keepers for some, and the others wait their turn.
 * So no more of the past is on its way than those can hold.
 */
import type { Self } from '../../runtime/index.ts'
import { Self as SelfClass } from '../../runtime/process/self.ts'
import type { Scheduler } from '../../runtime/scheduler/scheduler.ts'

const MAX_AT_A_TIME = 4

interface Gate {
  inside: number
  readonly waiting: Set<() => void>
}

const gates = new WeakMap<Scheduler, Gate>()

/** What `act` answers, once there is room for it. Whoever dies meanwhile makes room. */
export async function inTurn<T>(self: Self, act: () => Promise<T>): Promise<T> {
  const gate = gateOf(SelfClass.processOf(self).scheduler)
  let enter: (() => void) | undefined
  let isInside = false
  const leave = (): void => {
    if (enter !== undefined) gate.waiting.delete(enter)
    if (!isInside) return
    isInside = false
    gate.inside--
    for (const next of gate.waiting) {
      gate.waiting.delete(next)
      next()
      return
    }
  }
  const entered = (): void => {
    gate.inside++
    isInside = true
  }
  self.signal.addEventListener('abort', leave)
  try {
    if (gate.inside < MAX_AT_A_TIME) entered()
    else {
      await new Promise<void>((resolve) => {
        enter = () => {
          entered()
          resolve()
        }
        gate.waiting.add(enter)
      })
    }
    return await act()
  } finally {
    self.signal.removeEventListener('abort', leave)
    leave()
  }
}

function gateOf(scheduler: Scheduler): Gate {
  let gate = gates.get(scheduler)
  if (gate === undefined) {
    gate = { inside: 0, waiting: new Set() }
    gates.set(scheduler, gate)
  }
  return gate
}
