// One child of each placement, and an order of start and stop that a file tells.
import { appendFileSync } from 'node:fs'
import { type ExitReason, genServer, stop, supervisor } from 'beamish'

const note = (text: string): void => {
  const file = process.env.BEAMISH_TEST_NOTES
  if (file !== undefined) appendFileSync(file, `${text}\n`)
}

export const Placed = genServer('test.placed', {
  trapExit: true,
  init(id: string, self) {
    note(`start ${id}`)
    return { id, scheduler: self.scheduler }
  },
  handleCall: { where: (state) => state.scheduler },
  handleCast: { end: (_state, reason: ExitReason) => stop(reason) },
  async terminate(_reason, state, self) {
    if (process.env.BEAMISH_TEST_HANGS !== undefined) await self.sleep(60_000)
    note(`stop ${state.id}`)
  },
})

/** One per thread, found under a key of its thread. */
export const Each = genServer('test.each', {
  async init(_: undefined, self) {
    await self.register(`each ${self.scheduler}`)
    return self.scheduler
  },
  handleCall: { where: (state) => state },
})

export default supervisor({
  children: [
    Placed.child('one', { name: 'one' }),
    Placed.child('two', { name: 'two', place: { key: 'a key' } }),
    Each.child(undefined, { place: 'each' }),
    Placed.child('three', { name: 'three', shutdown: Number.POSITIVE_INFINITY }),
  ],
})
