/** An app with a singleton and one process per thread, which tell what happens to them. */
import { dynamicSupervisor, genServer, noreply, supervisor } from 'beamish'

const told = (what: string) =>
  genServer(what, {
    trapExit: true,
    init(_: undefined, self) {
      self.broadcast('told', 'up', { what, scheduler: self.scheduler })
      return 0
    },
    handleCall: { scheduler: (_state, _payload, self) => self.scheduler },
    handleCast: {
      /** All in one turn: the last ones are still in the batch when the thread is told to go. */
      flood(_state, { to, count }: { to: never; count: number }, self) {
        for (let n = 0; n < count; n++) self.send(to, { type: 'flood', n })
      },
    },
    terminate(reason, _state, self) {
      self.broadcast('told', 'down', { what, scheduler: self.scheduler, reason })
    },
  })

export const Single = told('single')
const Keyed = told('keyed')
export const Far = told('far')
const Each = told('each')
const Quiet = genServer('quiet', { init: (_: undefined) => 0 })

/** Traps exits, and never gets done with its end. */
export const Stubborn = genServer('stubborn', {
  trapExit: true,
  init: (_: undefined) => 0,
  handleCall: { never: () => noreply() },
  terminate: () => new Promise<void>(() => {}),
})

export default supervisor({
  maxRestarts: 0,
  children: [
    Each.child(undefined, { place: 'each' }),
    Single.child(undefined, { name: 'single' }),
    dynamicSupervisor({ name: 'pool', maxRestarts: 0 }),
    Keyed.child(undefined, { name: 'keyed', place: { key: 'k' } }),
    Quiet.child(undefined, { id: 'passing', place: { key: 'k' }, restart: 'temporary' }),
  ],
})
