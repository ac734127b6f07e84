/** Waiting that only the end of the process ends: noted with it, as all that it awaits of the runtime is. */
import type { Pending, Process } from './process.ts'

const NEVER: Pending = { scheduler: -1, reply: () => {}, down: () => {}, abandon: () => {} }

export function forever(process: Process): Promise<never> {
  process.pendingOrNew().set(process.scheduler.refs.next(), NEVER)
  return new Promise(() => {})
}
