/** Waiting that only the end of the process ends: noted with it, as all that it awaits of the runtime is. */
import type { Ref } from './pid.ts'
import type { Pending, Process } from './process.ts'

/** One entry stands for all: they end together. */
const FOREVER = -1 as Ref

const NEVER: Pending = { scheduler: -1, reply: () => {}, down: () => {}, abandon: () => {} }

export function forever(process: Process): Promise<never> {
  process.pendingOrNew().set(FOREVER, NEVER)
  return new Promise(() => {})
}
