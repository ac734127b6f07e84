/** An app with one server, to see where it goes when its thread is lost. */
import { genServer, supervisor } from 'beamish'

export const Where = genServer('where', {
  init: (_: undefined, self) => self.scheduler,
  handleCall: { scheduler: (state) => state },
})

export default supervisor({
  children: [Where.child(undefined, { name: 'where' })],
  maxRestarts: 0,
})
