/** Sockets that differ in one thing each, and channels that show what happens to them. */
import { type ExitReason, genServer, type Self, stop, stopWithReply, supervisor } from 'beamish'
import {
  any,
  bytes,
  ChannelLink,
  channel,
  defineSerializer,
  endpoint,
  error,
  type Join,
  joined,
  ok,
  phoenixV1,
  phoenixV2,
  refuse,
  type Serializer,
  socket,
  socketAt,
  string,
  type ToChannel,
} from 'beamish/channels'

/** Where channels tell how they ended. */
export const ENDINGS = 'sockets.endings'

const tell = (self: Self, event: string, payload: object): void =>
  self.broadcast(ENDINGS, event, payload)

export const Open = socket('sockets.open', {
  connect: ({ user }, socket) => socket.assign({ user: String(user ?? 'nobody') }),
  id: ({ assigns }) => `open:${assigns.user}`,
})

/** Tells its channels all it can see of the connection. */
const Seeing = socket('sockets.seeing', {
  connect: (params, socket, info) =>
    socket.assign({
      seen: {
        params,
        peer: info.peer,
        uri: info.uri,
        origin: info.origin,
        userAgent: info.userAgent,
        xHeaders: info.xHeaders,
        traceContextHeaders: info.traceContextHeaders,
        secWebSocketHeaders: info.secWebSocketHeaders,
        session: info.session,
        authToken: info.authToken,
        custom: info.custom,
      },
    }),
})

const Refusing = socket('sockets.refusing', {
  connect({ how }, socket) {
    if (how === 'throw') throw new Error('connect crashes')
    if (how === 'nonsense') return 'yes' as never
    if (how === 'no') return refuse()
    if (how !== undefined) return refuse(Number(how))
    return socket.assign({})
  },
  id: () => undefined,
})
/** Its connect leaves an error behind, and never answers. */
const Stray = socket('sockets.stray', {
  connect: () => {
    setImmediate(() => {
      throw new Error('left behind by connect')
    })
    return new Promise<never>(() => {})
  },
})

const BadId = socket('sockets.badId', {
  connect: (_params, socket) => socket,
  id: () => 7 as never,
})
const Hushed = socket('sockets.hushed', { connect: (_params, socket) => socket, log: false })

const Controlled = socket('sockets.controlled', {
  connect: ({ user }, socket) => socket.assign({ user: String(user) }),
  handleControl({ type, data }, { assigns }, self) {
    const text = Buffer.from(data).toString()
    if (text === 'crash') throw new Error('a ping crashes')
    tell(self, 'control', { type, text, user: assigns.user })
  },
})

const Expiring = socket('sockets.expiring', {
  connect: ({ ms }, socket) => socket.assign({}).expires(Date.now() + Number(ms)),
})

const Seen = channel('sockets.seen', {
  socket: Seeing,
  join: (_topic, _payload, socket) => joined(socket, socket.assigns.seen),
})

const noteEnd = (
  reason: ExitReason,
  socket: { readonly self: Self; readonly topic: string },
): void => tell(socket.self, 'ended', { topic: socket.topic, reason })

/** Does what it is told. */
export const Room = channel('sockets.room', {
  events: {
    ping: any(),
    quiet: any(),
    say: any(),
    shout: any(),
    push: any(),
    many: any(),
    echo: bytes(),
    pushBytes: any(),
    who: any(),
    crash: any(),
    array: any(),
    hang: any(),
    subscribe: { topic: string() },
    unsubscribe: { topic: string() },
    local: any(),
    assigns: any(),
    login: { name: string(), password: string() },
  },
  join(topic, payload, socket) {
    const { how } = (payload ?? {}) as { how?: unknown }
    if (how === 'error') return error({ reason: 'unauthorized' })
    if (how === 'throw') throw new Error('join crashes')
    if (how === 'never') return new Promise<never>(() => {})
    if (how === 'after') socket.self.send(socket.self.pid, 'afterJoin')
    return joined(socket.assign({ of: topic }), {})
  },
  handleIn: {
    ping: (payload) => ok({ pong: payload }),
    quiet() {},
    say(payload, socket) {
      socket.broadcast('said', { payload })
    },
    shout(payload, socket) {
      socket.broadcastFrom('shouted', { payload })
      return ok()
    },
    push(payload, socket) {
      socket.push('pushed', { payload })
    },
    many(payload, socket) {
      for (let n = 0; n < Number(payload); n++) socket.push('one', { n })
    },
    echo: (data) => ok(data),
    pushBytes(_payload, socket) {
      socket.push('bytes', Uint8Array.of(1, 2, 3))
    },
    who: (_payload, { self }) => ok({ pid: self.pid, scheduler: self.scheduler }),
    crash() {
      throw new Error('crashed on request')
    },
    array(_payload, socket) {
      socket.push('array', [1, 2] as never)
    },
    hang: () => new Promise<never>(() => {}),
    subscribe({ topic }, socket) {
      socket.subscribe(topic)
      return ok()
    },
    unsubscribe({ topic }, socket) {
      socket.unsubscribe(topic)
      return ok()
    },
    local(_payload, { self, topic }) {
      self.localBroadcast(topic, 'local', { scheduler: self.scheduler })
      self.broadcast(topic, 'done', {})
    },
    assigns: (_payload, { assigns }) => ok({ ...assigns }),
    login: () => ok(),
  },
  handleMessage(message, socket) {
    if (message === 'afterJoin') {
      socket.broadcast('joined', {})
      socket.push('welcome', {})
      return
    }
    const { type, topic, event, payload } = message as Record<string, unknown>
    if (type === 'broadcast') socket.push('heard', { topic, event, payload })
  },
  terminate: noteEnd,
})

const Deaf = channel('sockets.deaf', {
  events: { who: any() },
  join: (_topic, _payload, socket) => socket,
  handleIn: { who: (_payload, { self }) => ok({ pid: self.pid }) },
})

/** Does not come to an end by itself. */
const Stuck = channel('sockets.stuck', {
  events: { who: any(), hang: any() },
  shutdown: 100,
  join: (_topic, _payload, socket) => socket,
  handleIn: {
    who: (_payload, { self }) => ok({ pid: self.pid }),
    hang: () => new Promise<never>(() => {}),
  },
  terminate: noteEnd,
})

const Trapping = channel('sockets.trapping', {
  trapExit: true,
  join: (_topic, _payload, socket) => socket,
  terminate: noteEnd,
})

/** An event it does not know crashes it; its last words come after its end is told. */
const Strict = channel('sockets.strict', {
  strict: true,
  events: { who: any(), stop: { reason: string() }, bye: any(), bare: any(), wrong: any() },
  join: (_topic, _payload, socket) => socket,
  handleIn: {
    who: (_payload, { self }) => ok({ pid: self.pid }),
    stop: ({ reason }) => stop(reason),
    bye: () => stopWithReply('normal', ok({ last: true })),
    bare: () => ({ bare: true }),
    wrong: () => 'no answer' as never,
  },
  terminate(reason, socket) {
    noteEnd(reason, socket)
    socket.push('last words', { reason })
  },
})

/** Any behaviour can be a channel. */
const Custom = genServer('sockets.custom', {
  init(join: Join, self) {
    const { how } = join.payload as { how?: string }
    self.monitor(join.transport)
    const link = new ChannelLink(self, join)
    if (how === 'crash') throw new Error('join crashes')
    link.joined(how === 'error' ? 'error' : 'ok', { how })
    return how === 'error' ? stop('shutdown') : { link }
  },
  handleInfo({ link }, message) {
    const told = message as ToChannel | { readonly type: 'DOWN' }
    if (told.type === 'DOWN') return stop({ shutdown: 'closed' })
    if (told.type === 'phx:stop') return stop(told.reason)
    if (told.type === 'phx:leave') {
      link.reply(told.ref, 'ok', {})
      link.closed()
      return stop({ shutdown: 'left' })
    }
    if (told.event === 'close') {
      link.closed()
      return stop('normal')
    }
    if (told.event === 'crash') throw new Error('crashed on request')
    link.reply(told.ref, 'ok', { custom: told.payload })
    return undefined
  },
})

/** A wire of somebody else's: version 2 with its letters turned. */
const turned = (text: string): string => [...text].reverse().join('')
export const backwards: Serializer = defineSerializer<Serializer>({
  name: 'sockets.backwards',
  decode: (frame, limits) =>
    phoenixV2.decode(typeof frame === 'string' ? turned(frame) : frame, limits),
  encodeReply: (...parts) => turned(phoenixV2.encodeReply(...parts) as string),
  encodePush: (...parts) => turned(phoenixV2.encodePush(...parts) as string),
  encodeBroadcast: (...parts) => turned(phoenixV2.encodeBroadcast(...parts) as string),
})

const serializers = [
  { serializer: phoenixV1, versions: '1.0.x' },
  { serializer: phoenixV2, versions: '2.0.x' },
  { serializer: backwards, versions: '9.x' },
]

const channels = {
  'room:exact': { channel: Room, assigns: { route: 'exact' } },
  'room:*': { channel: Room, assigns: { route: 'prefix' } },
  'room:never': Deaf,
  'deaf:*': Deaf,
  'stuck:*': Stuck,
  'trap:*': Trapping,
  'strict:*': Strict,
  'custom:*': Custom,
  seen: Seen,
}
const see = { seen: Seen }

export default supervisor({
  children: [
    endpoint({
      id: 'endpoint',
      port: 0,
      plugins: [
        socketAt('/socket', Open, { channels, serializers }),
        socketAt('/again', Open, { channels, checkOrigin: ['https://example.com'] }),
        socketAt('/desktop', Seeing, { channels: see, checkOrigin: ['null', 'app://.'] }),
        socketAt('/anywhere', Open, { channels, checkOrigin: false }),
        socketAt('/seeing', Seeing, { channels: see, connectInfo: { tenant: 'acme' } }),
        socketAt('/nested/:kind/deep/:id', Seeing, { channels: see }),
        socketAt('/token', Seeing, { channels: see, authToken: true, longpoll: true }),
        socketAt('/spoken', Seeing, { channels: see, subprotocols: ['sip', 'xmpp'] }),
        socketAt('/refusing', Refusing, { channels }),
        socketAt('/stray', Stray, { channels }),
        socketAt('/badId', BadId, { channels }),
        socketAt('/hushed', Hushed, { channels }),
        socketAt('/strict', Open, { channels, strict: true }),
        socketAt('/controlled', Controlled, { channels, limits: { idleTimeoutMs: 20_000 } }),
        socketAt('/expiring', Expiring, { channels }),
        socketAt('/few', Open, { channels, limits: { maxChannels: 2 } }),
        socketAt('/small', Open, { channels, limits: { maxFrameBytes: 2_000, maxDepth: 4 } }),
        socketAt('/hasty', Open, { channels, limits: { joinTimeoutMs: 50 } }),
        socketAt('/slow', Open, {
          channels,
          limits: {
            maxEventsPerSecond: 1,
            maxEventBurst: 3,
            maxJoinsPerSecond: 1,
            maxJoinBurst: 2,
          },
        }),
        socketAt('/idle', Open, { channels, limits: { idleTimeoutMs: 3_000 } }),
      ],
    }),
  ],
})
