/** A supervisor that moves when its thread is replaced, and has a child on each thread by key, one of them on that thread. */
import { genServer, supervisor } from 'beamish'

const Told = genServer('nested.told', {
  init(what: string, self) {
    self.broadcast('told', 'up', { what, scheduler: self.scheduler })
  },
})

const children = ['a', 'b', 'c', 'd'].map((key) =>
  Told.child(key, { name: `at ${key}`, place: { key } }),
)

export default supervisor({
  maxRestarts: 0,
  children: [
    supervisor({
      id: 'inner',
      name: 'inner',
      maxRestarts: 0,
      children: [...children, Told.child('last', { name: 'last' })],
    }),
  ],
})
