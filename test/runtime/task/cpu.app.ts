// Processes that ask for dirty jobs.
import { genServer, type Self, supervisor, task } from 'beamish'

const JOBS = new URL('./jobs.ts', import.meta.url)

export const run = (self: Self, name: string, args: unknown[], options: object): Promise<unknown> =>
  task.cpu(self, JOBS, name, args, options)
export const where = async (self: Self): Promise<unknown> => [
  self.scheduler,
  await task.cpu(self, JOBS, 'where'),
]
/** Asks for many jobs at once: how many were refused with the queue's error, once `cell` lets the others through. */
export const crowd = async (self: Self, jobs: number, cell: Int32Array): Promise<unknown> => {
  const asked = Array.from({ length: jobs }, () => task.cpu(self, JOBS, 'gate', [cell]))
  const settled = Promise.allSettled(asked)
  await Promise.any(
    asked.map((one) =>
      one.then(
        () => Promise.reject(new Error('early')),
        () => {},
      ),
    ),
  )
  Atomics.store(cell, 0, 1)
  Atomics.notify(cell, 0)
  const results = await settled
  return results.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.code))
}

/** Says whether its thread still handles messages. */
export const Pulse = genServer('test.pulse', {
  init: () => 0,
  handleCall: { beat: (_: number, n: number) => n },
})

export default supervisor({ children: [] })
