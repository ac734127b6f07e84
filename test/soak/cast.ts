/** Processes that hold one of everything, so that a death that leaves something behind shows in the counts. */
import {
  duplicateRegistry,
  genServer,
  noreply,
  type Pid,
  process,
  type Self,
  uniqueRegistry,
} from 'beamish'

/** Live views that are connected, who answers main, and who answers nothing; by one key each. */
export const views = duplicateRegistry('soak.views')
export const stewards = duplicateRegistry('soak.stewards')
export const sinks = duplicateRegistry('soak.sinks')
const rooms = uniqueRegistry('soak.rooms')
const workshop = duplicateRegistry('soak.workshop')

const HOUR_MS = 3_600_000
const WORKERS = 5

/** Main's, so that it is there whatever happens to the threads. */
export const ON_MAIN = 'beamish.ports'

/** Ends when the one who started it does. */
const Shadow = process<{ readonly of: Pid }>('soak.shadow', async (self, { of }) => {
  self.monitor(of)
  self.subscribe('soak.shadows')
  await self.receive((message): message is never => message === 'never')
})

function holdOneOfEach(self: Self): void {
  self.subscribe('soak.news')
  self.sendAfter(HOUR_MS, 'never')
  self.monitor(ON_MAIN)
  self.spawnLink(Shadow, { of: self.pid })
}

/** Supervised on each thread, with a name, a key and whatever else a process may hold. */
const Worker = genServer('soak.worker', {
  async init(index: number, self) {
    const name = `soak.worker ${self.scheduler}.${index}`
    await self.register(name)
    await rooms.register(self, name)
    await rooms.register(self, `${name} again`)
    workshop.register(self, 'worker', index)
    holdOneOfEach(self)
    return { name }
  },
  handleInfo: () => {},
})

export const workers = Array.from({ length: WORKERS }, (_, index) =>
  Worker.child(index, { id: `worker ${index}` }),
)

/** Never answers. */
export const Sink = genServer('soak.sink', {
  init: (_: undefined, self) => sinks.register(self, 'sink'),
  handleCall: { hold: () => noreply() },
})

export interface GuestArgument {
  readonly name: string
  /** Links and monitors this one, wherever it is. */
  readonly with: Pid | undefined
  /** Waits for its answer for ever. */
  readonly sink: Pid | undefined
}

/** Unsupervised, in twos: when one ends, so does the other. */
export const Guest = process<GuestArgument>('soak.guest', async (self, argument) => {
  await self.register(argument.name)
  await rooms.register(self, argument.name)
  workshop.register(self, argument.name)
  holdOneOfEach(self)
  if (argument.with !== undefined) {
    self.link(argument.with)
    self.monitor(argument.with)
  }
  if (argument.sink !== undefined) {
    await self.call(argument.sink, 'hold', undefined, { timeoutMs: HOUR_MS })
  }
  await self.receive((message): message is never => message === 'never')
})
