/** Channels with histories on two endpoints; on the second one thread accepts, and channels run on any. */
import { supervisor } from 'beamish'
import { any, channel, endpoint, integer, joined, ok, socket, socketAt } from 'beamish/channels'

const User = socket('history.user', { connect: (_params, socket) => socket })

const Talk = channel('history.talk', {
  socket: User,
  logJoin: false,
  events: { burst: { count: integer(1, 5_000) }, odd: any(), bytes: any() },
  history: { events: ['said'], maxMessages: 5_000 },
  join: (_topic, _params, socket) => joined(socket, { thread: socket.self.scheduler }),
  handleIn: {
    burst({ count }, socket) {
      for (let n = 0; n < count; n++) socket.broadcast('said', { n })
      return ok()
    },
    odd(_payload, socket) {
      socket.broadcast('said', { history: 'mine' })
    },
    bytes(_payload, socket) {
      socket.broadcast('said', Uint8Array.of(1))
    },
  },
})

const Bytes = channel('history.bytes', {
  socket: User,
  logJoin: false,
  history: { events: ['said'] },
  join: (_topic, _params, socket) => joined(socket, Uint8Array.of(1)),
})

const plugins = [socketAt('/socket', User, { channels: { 'talk:*': Talk, 'bytes:*': Bytes } })]

export default supervisor({
  children: [
    endpoint({ id: 'all', port: 0, plugins }),
    endpoint({ id: 'one', port: 0, plugins, reusePort: false }),
  ],
})
