/** Sockets whose connect takes as long as a test wants; whoever listens to `test.connecting` hears that it runs. */
import type { Self } from 'beamish'
import { genServer, supervisor } from 'beamish'
import { channel, definePlugin, endpoint, socket, socketAt } from 'beamish/channels'

let teller: Self | undefined
const telling = definePlugin('connecting.telling', ({ self }) => {
  teller = self
})

/** One of each name that waits. */
const waiting = new Map<string, () => void>()

const Slow = socket('connecting.slow', {
  async connect({ name }, socket) {
    if (name === undefined) return socket
    const asked = new Promise<void>((resolve) => waiting.set(String(name), resolve))
    teller?.broadcast('test.connecting', 'runs', { name })
    await asked
    return socket
  },
})

const Room = channel('connecting.room', { join: (_topic, _payload, socket) => socket })

/** Lets a connect go on. */
const Gate = genServer('connecting.gate', {
  init(_: undefined, self) {
    self.subscribe('test.gate')
    return {}
  },
  handleInfo(_state, message) {
    waiting.get((message as { payload: { name: string } }).payload.name)?.()
  },
})

const channels = { 'room:*': Room }
const longpoll = { windowMs: 60_000 }

export default supervisor({
  children: [
    Gate.child(undefined, { id: 'gate', place: 'each' }),
    endpoint({
      id: 'endpoint',
      port: 0,
      plugins: [
        telling(undefined),
        socketAt('/slow', Slow, { channels, longpoll }),
        socketAt('/hasty', Slow, { channels, longpoll, limits: { connectTimeoutMs: 50 } }),
      ],
    }),
    endpoint({
      id: 'untold',
      port: 0,
      drain: false,
      plugins: [socketAt('/slow', Slow, { channels, longpoll })],
    }),
  ],
})
