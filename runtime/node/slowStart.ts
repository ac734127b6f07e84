/** Starts that take long: told of, and not waited for without end. */
import { publish } from '../events.ts'
import type { Process } from '../process/process.ts'

/** After this long a start is told of, and the root goes on without a child placed `each`. */
export const SLOW_START_MS = 5_000

/** What a promise resolves with; undefined when that takes too long to wait for. */
export function within<T>(
  process: Process,
  limitMs: number,
  promise: Promise<T>,
): Promise<T | undefined> {
  const { clock } = process.scheduler
  return new Promise((resolve) => {
    const limit = clock.after(process, limitMs, () => resolve(undefined))
    void promise.then((value) => {
      clock.cancelRef(limit)
      resolve(value)
    })
  })
}

/** Publishes a notice when a start takes long. */
export async function tellSlow<T>(
  process: Process,
  id: string,
  scheduler: number,
  start: Promise<T>,
): Promise<T> {
  const { clock } = process.scheduler
  const limit = clock.after(process, SLOW_START_MS, () =>
    publish('notice', () => ({
      level: 'warn',
      code: 'slow_start',
      message: `child "${id}" has been starting on scheduler ${scheduler} for ${SLOW_START_MS} ms: look for what its init waits for`,
      child: id,
      scheduler,
    })),
  )
  try {
    return await start
  } finally {
    clock.cancelRef(limit)
  }
}
