/** history:*: what was said while a client was away is said to it when it comes back. */
import { channel, integer, joined, ok, string } from 'beamish/channels'
import { User } from './user.ts'

export const History = channel('tour.history', {
  socket: User,
  logJoin: false,
  events: {
    say: { text: string(0, 2_000) },
    type: { key: string(1, 20) },
    burst: { count: integer(1, 1_000) },
  },
  history: { events: ['said'], maxMessages: 2_000, maxAgeMs: 60_000 },
  join: (_topic, _params, socket) => joined(socket, { thread: socket.self.scheduler }),
  handleIn: {
    say({ text }, socket) {
      socket.broadcast('said', { by: socket.assigns.userId, text })
      return ok()
    },
    burst({ count }, socket) {
      for (let n = 0; n < count; n++) socket.broadcast('said', { by: socket.assigns.userId, n })
      return ok()
    },
    /** Nobody needs it later. */
    type({ key }, socket) {
      socket.broadcastFrom('typed', { by: socket.assigns.userId, key })
    },
  },
})
