/** Channels that answer later, by themselves and through others, and go on at once. */
import { type Pid, process, stop, supervisor } from 'beamish'
import { any, channel, endpoint, replyTo, type SocketRef, socket, socketAt } from 'beamish/channels'

const Anybody = socket('replyTo.anybody', { connect: (_params, socket) => socket })

interface Errand {
  readonly ref: SocketRef
  readonly channel: Pid
}

/** Answers for a channel, then tells it so. */
const Answerer = process('replyTo.answerer', (self, { ref, channel }: Errand) => {
  replyTo(self, ref, 'ok', { by: self.scheduler })
  self.send(channel, 'answered')
})

export const Later = channel('replyTo.later', {
  events: { self: any(), bye: any(), here: any(), there: any(), lend: any(), hang: any() },
  join: (_topic, _payload, socket) => socket,
  handleIn: {
    self(_payload, socket) {
      socket.push('before')
      replyTo(socket.self, socket.ref(), 'ok')
      socket.push('pushed').broadcast('broadcast')
    },
    bye(_payload, socket) {
      replyTo(socket.self, socket.ref(), 'ok', { last: true })
      return stop('normal')
    },
    here(_payload, socket) {
      const { self } = socket
      socket.push('before')
      self.spawn(Answerer, { ref: socket.ref(), channel: self.pid })
    },
    async there(threads, socket) {
      const { self } = socket
      const scheduler = (threads as number[]).find((id) => id !== self.scheduler) as number
      const errand = { ref: socket.ref(), channel: self.pid }
      await self.spawn(Answerer, errand, { place: { scheduler } })
    },
    lend(pid, socket) {
      socket.self.send(pid as Pid, socket.ref())
    },
    hang(_payload, socket) {
      socket.ref()
      return new Promise<void>(() => {})
    },
  },
  handleMessage(_answered, socket) {
    socket.push('after')
    return stop('normal')
  },
})

export default supervisor({
  children: [
    endpoint({
      port: 0,
      plugins: [socketAt('/socket', Anybody, { channels: { 'later:*': Later } })],
    }),
  ],
})
