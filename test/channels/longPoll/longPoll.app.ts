/** Sockets that can be polled, one mount for each way to be reached. Whoever listens to `test.endings` hears how channels end. */
import { supervisor } from 'beamish'
import { any, bytes, channel, endpoint, ok, refuse, socket, socketAt } from 'beamish/channels'

export const User = socket('longPoll.user', {
  async connect(params, socket, info) {
    const { user_id: userId, mode, status } = params
    if (mode === 'refuse') return refuse(Number(status))
    if (mode === 'throw') throw new Error('connect throws on request')
    if (mode === 'stray') {
      setTimeout(() => {
        throw new Error('connect left this behind')
      }, 0)
    }
    if (mode === 'expires') socket.expires(Date.now() + 50)
    return socket.assign({
      userId: String(userId),
      known: { params, authToken: info.authToken, xHeaders: info.xHeaders },
    })
  },
  id: ({ assigns }) => `user:${assigns.userId}`,
})

export const Room = channel('longPoll.room', {
  socket: User,
  events: {
    echo: any(),
    known: any(),
    say: any(),
    size: bytes(),
    returnBytes: any(),
    pushBytes: any(),
    flood: any(),
    crash: any(),
  },
  join(topic, _payload, socket) {
    if (topic.endsWith(':greets')) socket.self.send(socket.self.pid, 'greet')
    return socket
  },
  handleIn: {
    echo: (payload) => ok(payload as object),
    known: (_payload, socket) => ok({ ...socket.assigns.known, scheduler: socket.self.scheduler }),
    say(payload, socket) {
      socket.broadcast('said', payload as object)
    },
    size: (data) => ok({ size: data.length }),
    returnBytes: () => ok(Uint8Array.of(1, 2, 3)),
    pushBytes(_payload, socket) {
      socket.push('bytes', Uint8Array.of(1, 2, 3))
      return ok()
    },
    flood(_payload, socket) {
      for (let i = 0; i < 50; i++) socket.push('drop', { filling: 'x'.repeat(1_000) })
    },
    crash() {
      throw new Error('crashed on request')
    },
  },
  handleMessage(message, socket) {
    if (message !== 'greet') return
    socket.broadcast('joined', { userId: socket.assigns.userId })
    socket.push('welcome', { userId: socket.assigns.userId })
  },
  terminate(reason, socket) {
    const { topic, assigns, self } = socket
    self.broadcast('test.endings', 'ended', { topic, userId: assigns.userId, reason })
  },
})

const channels = { 'room:*': Room }

export default supervisor({
  children: [
    endpoint({
      plugins: [
        // Long enough for whatever the machine is busy with.
        socketAt('/socket', User, { channels, authToken: true, longpoll: { windowMs: 60_000 } }),
        socketAt('/quick', User, { channels, longpoll: { windowMs: 1_000 } }),
        socketAt('/strict', User, {
          channels,
          strict: true,
          websocket: false,
          longpoll: { windowMs: 60_000, checkOrigin: ['https://example.com'] },
          limits: { maxChannels: 2, maxFrameBytes: 2_000, maxQueueBytes: 20_000 },
        }),
        socketAt('/of/:user_id', User, {
          channels,
          websocket: { path: '/ws/:room' },
          longpoll: { path: '/poll/:room' },
        }),
      ],
    }),
    endpoint({
      id: 'narrow',
      port: 0,
      plugins: [socketAt('/socket', User, { channels, longpoll: true })],
      limits: { maxUpgradesPerSecond: 1, maxUpgradeBurst: 1, maxUpgradeWaitMs: 1 },
    }),
  ],
})
