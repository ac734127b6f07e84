/** Version 1. */
import { any, channel, integer, ok } from 'beamish/channels'

export const Pushing = channel('pushes.pushing', {
  events: { who: any(), tell: any() },
  pushes: { old: { n: integer() } },
  history: { events: ['old'] },
  join: (_topic, _payload, socket) => socket.assign({ n: 1 }),
  handleIn: {
    who: (_payload, { self }) => ok({ pid: self.pid }),
    tell: (_payload, socket) => socket.push('old', { n: socket.assigns.n }),
  },
})
