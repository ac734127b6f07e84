/** presence:<room>: who is there, as the official client's Presence shows it. */
import { channel, presence } from 'beamish/channels'
import { User } from './user.ts'

export const Visitors = presence('tour.visitors')

export const PresenceChannel = channel('tour.presence', {
  socket: User,
  join(_topic, _payload, socket) {
    socket.self.send(socket.self.pid, 'afterJoin')
    return socket
  },
  async handleMessage(message, socket) {
    if (message !== 'afterJoin') return
    const { self, topic, assigns } = socket
    await Visitors.track(self, topic, self.pid, assigns.userId, { online_at: Date.now() })
    socket.push('presence_state', await Visitors.list(self, topic))
  },
})
