/** Channels that are busy, large, slow to begin or slow to end, on sockets with limits that are soon met. */
import { genServer, stop, supervisor } from 'beamish'
import {
  any,
  ChannelLink,
  channel,
  endpoint,
  type Join,
  ok,
  phoenixV1,
  phoenixV2,
  type SocketLimits,
  socket,
  socketAt,
  type ToChannel,
} from 'beamish/channels'

const User = socket('pressure.user', { connect: (_params, socket) => socket })

/** What waits on this thread, by topic; the event `open` of any channel of the same socket lets it go on. */
const gates = new Map<string, () => void>()
const gate = (topic: string): Promise<void> =>
  new Promise((resolve) => {
    gates.set(topic, resolve)
  })

const Room = channel('pressure.room', {
  events: {
    ping: any(),
    wait: any(),
    open: any(),
    big: any(),
    bigs: any(),
    blob: any(),
    pushBytes: any(),
    sayBytes: any(),
  },
  async join(topic, payload, socket) {
    if ((payload as { wait?: boolean } | null)?.wait === true) await gate(topic)
    return socket
  },
  handleIn: {
    ping: () => ok(),
    async wait(_payload, { topic }) {
      await gate(topic)
      return ok()
    },
    open(payload) {
      const { topic } = payload as { topic: string }
      const has = gates.has(topic)
      gates.get(topic)?.()
      return ok({ has })
    },
    big: (length) => ok({ text: 'x'.repeat(Number(length)) }),
    bigs(length, socket) {
      for (let i = 0; i < 10; i++) socket.push('big', { i, text: 'x'.repeat(Number(length)) })
      return ok()
    },
    blob: () => ok(Uint8Array.of(1, 2, 3)),
    pushBytes(_payload, socket) {
      socket.push('bytes', Uint8Array.of(1, 2, 3))
      return ok()
    },
    sayBytes(_payload, socket) {
      socket.broadcast('bytes', Uint8Array.of(1, 2, 3))
      socket.broadcast('text', {})
      return ok()
    },
  },
})

/** Its end waits for its gate. */
const SlowEnd = channel('pressure.slowEnd', {
  events: { ping: any() },
  trapExit: true,
  join: (_topic, _payload, socket) => socket,
  handleIn: { ping: () => ok() },
  async terminate(_reason, { topic, self }) {
    self.broadcast('pressure.ends', 'ends', { topic })
    await gate(topic)
  },
})

/** As the page of ChannelLink has it. */
const Custom = genServer('pressure.custom', {
  async init(join: Join, self) {
    self.monitor(join.transport)
    const link = new ChannelLink(self, join)
    if ((join.payload as { hang?: boolean } | null)?.hang === true) await gate(join.topic)
    link.joined('ok', {})
    return { link }
  },
  handleInfo({ link }, message) {
    const told = message as ToChannel | { readonly type: 'DOWN' }
    if (told.type === 'DOWN') return stop({ shutdown: 'closed' })
    if (told.type === 'phx:event') {
      link.reply(told.ref, 'ok', { sent: link.join.payload ?? 'gone' })
    } else if (told.type === 'phx:leave') {
      link.reply(told.ref, 'ok', {})
      link.closed()
      return stop({ shutdown: 'left' })
    } else return stop(told.reason)
    return undefined
  },
})

const channels = { 'room:*': Room, 'slowEnd:*': SlowEnd, 'custom:*': Custom }
const serializers = [
  { serializer: phoenixV1, versions: '1.0.x' },
  { serializer: phoenixV2, versions: '2.0.x' },
]
const at = (path: string, limits: Partial<SocketLimits> = {}) =>
  socketAt(path, User, { channels, serializers, limits, longpoll: true })

const plugins = [
  at('/socket'),
  at('/heavy', { maxUnhandledBytes: 20_000 }),
  at('/rated', { maxEventsPerSecond: 1, maxEventBurst: 5 }),
]

export default supervisor({
  children: [
    endpoint({ id: 'endpoint', port: 0, plugins }),
    // One thread accepts for all: channels are on both.
    endpoint({ id: 'anywhere', port: 0, plugins, reusePort: false }),
  ],
})
