/** A lost thread as it is told: what ended it, and what it did last. */
import type { ThreadLoss } from '../events.ts'
import { ranLastOf } from '../observe/observe.ts'
import type { Journal } from '../scheduler/journal.ts'
import type { ThreadEnd } from './thread.ts'

export function threadLoss(scheduler: number, end: ThreadEnd, journal: Journal): ThreadLoss {
  return { scheduler, ...end, ranLast: ranLastOf({ journal }) }
}

/** One line for people: `gave no sign of life for 5004 ms, ran last: solver <0.1.7> with solve, in spin (app.ts:3:9)`. */
export function describeLoss({ message, ranLast, stack }: ThreadLoss): string {
  const who =
    ranLast === undefined
      ? ''
      : `, ran last: ${ranLast.behaviour ?? 'a process'} ${ranLast.process} with ${ranLast.message ?? 'a message'}`
  const where = stack?.[0] === undefined ? '' : `, in ${stack[0]}`
  return `${message.split('\n', 1)[0]}${who}${where}`
}
