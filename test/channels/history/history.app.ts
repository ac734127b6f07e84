/** Channels with histories on two endpoints; on the second one thread accepts, and channels run on any. */
import { genServer, supervisor } from 'beamish'
import {
  any,
  channel,
  definePlugin,
  endpoint,
  integer,
  joined,
  ok,
  socket,
  socketAt,
} from 'beamish/channels'

const LARGE = 'x'.repeat(10_000)

const User = socket('history.user', { connect: (_params, socket) => socket })

export const Talk = channel('history.talk', {
  socket: User,
  logJoin: false,
  events: {
    burst: { count: integer(1, 5_000) },
    large: { count: integer(1, 5_000) },
    odd: any(),
    bytes: any(),
  },
  history: { events: ['said'], maxMessages: 5_000, maxBytes: 16_777_216 },
  join: (_topic, _params, socket) => joined(socket, { thread: socket.self.scheduler }),
  handleIn: {
    burst({ count }, socket) {
      for (let n = 0; n < count; n++) socket.broadcast('said', { n })
      return ok()
    },
    async large({ count }, socket) {
      for (let n = 0; n < count; n++) {
        socket.broadcast('said', { n, text: LARGE })
        if (n % 10 === 0) await socket.self.sleep(0)
      }
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

/** One that ends when it has handled what it is at. */
const Trapping = channel('history.trapping', {
  socket: User,
  logJoin: false,
  trapExit: true,
  events: { large: { count: integer(1, 5_000) } },
  history: { events: ['said'], maxMessages: 5_000, maxBytes: 16_777_216 },
  join: (_topic, _params, socket) => socket,
  handleIn: {
    large({ count }, socket) {
      for (let n = 0; n < count; n++) socket.broadcast('said', { n, text: LARGE })
      return ok()
    },
  },
})

const Bytes = channel('history.bytes', {
  socket: User,
  logJoin: false,
  history: { events: ['said'] },
  join: (_topic, _params, socket) => joined(socket, Uint8Array.of(1)),
})

/** Answers a join with a field of the name that the history needs. */
const Named = channel('history.named', {
  socket: User,
  logJoin: false,
  history: { events: ['said'] },
  join: (_topic, _params, socket) => joined(socket, { history: ['my', 'messages'] }),
})

/** Room for two topics. */
const Few = channel('history.few', {
  socket: User,
  logJoin: false,
  events: { say: any(), mine: any() },
  history: { events: ['said'], maxTopicsPerThread: 2 },
  join: (_topic, _params, socket) => socket,
  handleIn: {
    say(_payload, socket) {
      socket.broadcast('said', {})
      return ok()
    },
    mine(history, socket) {
      socket.push('mine', { history })
      return ok()
    },
  },
})

/** A process that is no channel. */
export const Sayer = genServer('history.sayer', {
  init({ topic, n }: { topic: string; n: number }, self) {
    Talk.broadcast(self, topic, 'said', { n, thread: self.scheduler })
    return {}
  },
})

const sayings = definePlugin('history.sayings', ({ fastify, self }) => {
  fastify.post<{ Body: { topic: string; n: number } }>('/say', async ({ body }) => {
    Talk.broadcast(self, body.topic, 'said', { n: body.n })
    return {}
  })
})

const channels = {
  'talk:*': Talk,
  'trap:*': Trapping,
  'bytes:*': Bytes,
  'named:*': Named,
  'few:*': Few,
}
const plugins = [
  sayings(undefined),
  socketAt('/socket', User, { channels, longpoll: true }),
  socketAt('/drop', User, { channels, overflow: 'drop', limits: { maxQueueBytes: 300_000 } }),
]

export default supervisor({
  children: [
    endpoint({ id: 'all', port: 0, plugins }),
    endpoint({ id: 'one', port: 0, plugins, reusePort: false }),
  ],
})
