/** Who may connect: anybody but the bad. */
import { refuse, socket } from 'beamish/channels'

export const User = socket('tour.user', {
  connect({ user_id, token }, socket) {
    if (token === 'bad') return refuse()
    return socket.assign({ userId: typeof user_id === 'string' ? user_id : 'anonymous' })
  },
  id: ({ assigns }) => `user:${assigns.userId}`,
})
