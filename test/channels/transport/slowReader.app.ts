/** Sockets of all three policies with one topic in common, and a flood for one client alone. */
import { genServer, onEvent, supervisor } from 'beamish'
import {
  any,
  channel,
  endpoint,
  integer,
  type Overflow,
  ok,
  type SocketOverflow,
  socket,
  socketAt,
  string,
} from 'beamish/channels'

export const MAX_QUEUE_BYTES = 200_000

const User = socket('slow.user', { connect: (_params, socket) => socket })

const Feed = channel('slow.feed', {
  socket: User,
  logJoin: false,
  events: {
    tick: { n: integer() },
    flood: { kb: integer(1, 100_000), overflow: string() },
    echo: any(),
  },
  join: (_topic, _payload, socket) => socket,
  handleIn: {
    tick({ n }, socket) {
      socket.broadcast('tick', { n })
      return ok()
    },
    /** More than the kernel keeps for a client that does not read. */
    async flood({ kb, overflow }, socket) {
      const text = 'x'.repeat(1_000)
      for (let i = 0; i < kb; i++) {
        socket.push('flood', { i, text })
        // What is pushed within a turn meets the limit before the kernel is asked.
        if (i % 100 === 0) await socket.self.sleep(0)
      }
      socket.self.broadcast('slow', 'flooded', { flooded: overflow })
    },
    echo: (payload) => ok(payload as object),
  },
})

/** What the sockets of its thread tell. */
export const Told = genServer('slow.told', {
  init: (_: undefined, self) => {
    const told: SocketOverflow[] = []
    const off = onEvent('socketOverflow', (event) => {
      told.push(event)
      self.broadcast('slow', 'told', event)
    })
    self.signal.addEventListener('abort', off)
    return told
  },
})

const at = (overflow: Overflow) =>
  socketAt(`/${overflow}`, User, {
    channels: { '*': Feed },
    overflow,
    // Most of them never say anything.
    limits: { maxQueueBytes: MAX_QUEUE_BYTES, idleTimeoutMs: Number.POSITIVE_INFINITY },
  })

export default supervisor({
  children: [
    Told.child(undefined, { place: 'each' }),
    endpoint({
      port: 0,
      limits: { maxUpgradeBurst: 5_000 },
      plugins: [at('close'), at('drop'), at('conflate')],
    }),
  ],
})
