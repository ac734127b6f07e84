/** Clients of a test: they connect, join and hear as those of a browser do, on a test node. */
import { BeamishError, type Pid, type Placement } from '../../runtime/index.ts'
import type { AssertOptions, TestNode } from '../../runtime/testing/index.ts'
import { findChannel } from '../channel/channel.ts'
import type { Channel } from '../channel/contract.ts'
import type { HeaderPairs } from '../socket/details.ts'
import type { RoutedChannel } from '../socket/socketAt.ts'
import { findSocket, type SocketDefinition, type UserSocket } from '../socket/userSocket.ts'
import type { SocketLimits } from '../transport/limits.ts'
import type { Route } from '../transport/routes.ts'
import { TestChannel } from './channel.ts'
import { ConnectRefused, JoinRefused } from './errors.ts'
import { ClientProcess, putDown, type ToTest } from './process.ts'
import type { Sent } from './terms.ts'

/** What the request of a test's client looks like (Phoenix `connect_info`). */
export interface TestConnectInfo {
  readonly headers?: Readonly<Record<string, string>> | HeaderPairs
  /** Path and query. Default /socket/websocket. */
  readonly url?: string
  readonly encrypted?: boolean
  readonly address?: string
  readonly port?: number
  readonly session?: Readonly<Record<string, unknown>>
  readonly authToken?: string
  /** What the mount would be given as `connectInfo`. */
  readonly custom?: Readonly<Record<string, unknown>>
}

export interface ClientOptions {
  /** Topics to channels, as for socketAt. A join may also name its channel. */
  readonly channels?: Readonly<Record<string, Channel | RoutedChannel>>
  readonly limits?: Partial<SocketLimits>
  /** The thread its connection is on. Default: any. */
  readonly scheduler?: number
  /** Where its channels run: beside their connection, as an endpoint has them, or anywhere. Default here. */
  readonly place?: Placement
}

let clients = 0

/**
 * A connected client. Made by connect() and clientOf().
 *
 * @example
 * ```ts
 * import { channel } from 'beamish/channels'
 * import { clientOf, type TestClient } from 'beamish/channels/testing'
 * import { testNode } from 'beamish/testing'
 * const Gone = channel('doc-test-gone', { join: (_topic, _payload, socket) => socket })
 * const client: TestClient = await clientOf(await testNode(), {})
 * const gone = await client.join('gone:1', {}, Gone)
 * client.disconnect()
 * await gone.assertEnded({ shutdown: 'closed' })
 * ```
 */
export class TestClient {
  readonly node: TestNode
  /** The process that stands for the other end of the connection. */
  readonly pid: Pid
  /** The process that holds the connection. */
  readonly transport: Pid
  /** What connect assigned. */
  readonly assigns: Readonly<Record<string, unknown>>
  /** What the socket's id answered. */
  readonly id: string | undefined
  readonly #number: number
  readonly #channels: Pid
  readonly #routes: Route[]
  #refs = 0

  constructor(
    node: TestNode,
    parts: {
      readonly pid: Pid
      readonly transport: Pid
      readonly channels: Pid
      readonly number: number
      readonly routes: Route[]
      readonly assigns: Readonly<Record<string, unknown>>
      readonly id: string | undefined
    },
  ) {
    this.node = node
    this.pid = parts.pid
    this.transport = parts.transport
    this.assigns = parts.assigns
    this.id = parts.id
    this.#number = parts.number
    this.#channels = parts.channels
    this.#routes = parts.routes
  }

  /** Its number: messages to the test carry it as `client`. */
  get number(): number {
    return this.#number
  }

  /**
   * Joins a topic. The channel is looked up among the routes, unless it is given.
   * @throws JoinRefused
   */
  async join<C = unknown>(
    topic: string,
    params: unknown = {},
    channel?: Channel<C>,
  ): Promise<TestChannel> {
    if (channel !== undefined) this.#routes.unshift(routeOf(topic, channel))
    const ref = this.ref()
    this.send({ event: 'phx_join', payload: params, topic, ref, joinRef: ref })
    const answer = await this.node.assertReceive<ToTest & { type: 'reply' }>(
      { type: 'reply', client: this.#number, topic, ref },
      { withinMs: Number.POSITIVE_INFINITY },
    )
    if (answer.status !== 'ok') throw new JoinRefused(topic, answer.payload)
    const children = (await this.node.self.call(this.#channels, 'whichChildren')) as readonly {
      readonly id: string
      readonly pid: Pid
    }[]
    const pid = children.findLast(({ id }) => id === topic)?.pid
    if (pid === undefined) throw new JoinRefused(topic, { reason: 'it ended at once' })
    return new TestChannel(this, topic, pid, ref, answer.payload)
  }

  /** Joins, and subscribes the test to the topic first: assertBroadcast hears what is broadcast on it. */
  async subscribeAndJoin<C = unknown>(
    topic: string,
    params: unknown = {},
    channel?: Channel<C>,
  ): Promise<TestChannel> {
    subscribe(this.node, topic)
    return this.join(topic, params, channel)
  }

  /** Sends a message as it would come from the wire. */
  send(sent: Sent): void {
    this.node.self.send(this.pid, sent)
  }

  /** The next ref of this client. */
  ref(): string {
    return String(++this.#refs)
  }

  /** Ends the connection from the client's side. */
  disconnect(code = 1001): void {
    this.node.self.send(this.pid, { disconnect: code })
  }

  /** The server has closed the connection with this code. */
  assertClosed(
    code?: number,
    options?: AssertOptions,
  ): Promise<{ readonly code: number; readonly reason: string }> {
    const match = { type: 'closed', client: this.#number }
    return this.node.assertReceive(code === undefined ? match : { ...match, code }, options)
  }
}

const subscribed = new WeakMap<TestNode, Set<string>>()

/** Once per topic: a second subscription would have each broadcast come twice. */
function subscribe(node: TestNode, topic: string): void {
  let topics = subscribed.get(node)
  if (topics === undefined) {
    topics = new Set()
    subscribed.set(node, topics)
  }
  if (topics.has(topic)) return
  topics.add(topic)
  node.self.subscribe(topic)
}

function routeOf(topic: string, given: Channel | RoutedChannel): Route {
  const { channel, assigns } = 'channel' in given ? given : { channel: given, assigns: undefined }
  const definition = findChannel(channel.name)
  if (definition === undefined) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: `the channel of ${topic}`,
      got: channel.name,
      fix: 'give one that channel() has made',
    })
  }
  const route = { topic, behaviour: channel.name, shutdown: definition.shutdown }
  return assigns === undefined ? route : { ...route, assigns }
}

const DEFAULT_URL = '/socket/websocket'

async function opened(
  node: TestNode,
  definition: SocketDefinition,
  params: Readonly<Record<string, unknown>>,
  info: TestConnectInfo,
  options: ClientOptions,
): Promise<TestClient> {
  const number = ++clients
  const routes = Object.entries(options.channels ?? {}).map(([topic, given]) =>
    routeOf(topic, given),
  )
  const { headers = {}, session } = info
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers)
  let assigns: Readonly<Record<string, unknown>> = {}
  let id: string | undefined
  const ticket = putDown({
    client: number,
    test: node.self.pid,
    definition: {
      name: definition.name,
      connect: definition.connect.bind(definition),
      id: (socket) => {
        const found = definition.id?.(socket)
        assigns = socket.assigns
        id = typeof found === 'string' ? found : undefined
        return found
      },
    },
    routes,
    connect: {
      params: structuredClone(params),
      session,
      userAgent: undefined,
      remoteAddress: info.address,
      url: 'http://localhost',
    },
    request: {
      headers: Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value])),
      url: info.url ?? DEFAULT_URL,
      encrypted: info.encrypted ?? false,
      address: info.address ?? '127.0.0.1',
      port: info.port,
    },
    authToken: info.authToken,
    custom: info.custom ?? {},
    // A client of a test sends no heartbeats.
    limits: { idleTimeoutMs: Number.POSITIVE_INFINITY, ...options.limits },
    place: options.place ?? 'here',
  })
  const place: Placement =
    options.scheduler === undefined ? 'any' : { scheduler: options.scheduler }
  const pid = await node.spawn(ClientProcess, ticket, { place })
  const decided = await node.assertReceive<ToTest>(
    (message: unknown) => {
      const { client, type } = message as ToTest
      return client === number && (type === 'connected' || type === 'refused')
    },
    { withinMs: Number.POSITIVE_INFINITY },
  )
  if (decided.type === 'refused') throw new ConnectRefused(decided.status, decided.reason)
  const { transport, channels } = await node.self.call(pid, 'parts')
  return new TestClient(node, { pid, transport, channels, number, routes, assigns, id })
}

/**
 * Connects a client to a socket of a test node: its connect and id run as they do for one from outside.
 *
 * @example
 * ```ts
 * import { any, channel, ok, socket } from 'beamish/channels'
 * import { connect } from 'beamish/channels/testing'
 * import { testNode } from 'beamish/testing'
 * const User = socket('doc-test-user', {
 *   connect: ({ user_id }, socket) => socket.assign({ userId: String(user_id) }),
 * })
 * const Echo = channel('doc-test-echo', {
 *   socket: User,
 *   events: { say: any() },
 *   join: (_topic, _payload, socket) => socket,
 *   handleIn: { say: (said, socket) => ok({ said, by: socket.assigns.userId }) },
 * })
 * const node = await testNode({ seed: 7 })
 * const client = await connect(node, User, { user_id: 'ada' }, {}, { channels: { 'echo:*': Echo } })
 * const echo = await client.join('echo:1')
 * await echo.assertReply(echo.push('say', 'hello'), 'ok', { said: 'hello', by: 'ada' })
 * await node.stop()
 * ```
 * @throws ConnectRefused
 */
export function connect(
  node: TestNode,
  socket: UserSocket,
  params: Readonly<Record<string, unknown>> = {},
  info: TestConnectInfo = {},
  options: ClientOptions = {},
): Promise<TestClient> {
  const definition = findSocket(socket.name)
  if (definition === undefined) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: 'the socket of connect()',
      got: socket.name,
      fix: 'give one that socket() has made',
    })
  }
  return opened(node, definition, params, info, options)
}

/**
 * A client that is connected already, with these assigns and this id: for tests that are not about connect.
 *
 * @example
 * ```ts
 * import { channel } from 'beamish/channels'
 * import { clientOf } from 'beamish/channels/testing'
 * import { testNode } from 'beamish/testing'
 * const Hall = channel('doc-test-hall', { join: (_topic, _payload, socket) => socket })
 * const client = await clientOf(await testNode(), { userId: 'ada' })
 * const hall = await client.join('hall:1', {}, Hall)
 * hall.leave()
 * await hall.assertPush('phx_close')
 * ```
 */
export function clientOf(
  node: TestNode,
  assigns: Readonly<Record<string, unknown>>,
  { id, ...options }: ClientOptions & { readonly id?: string } = {},
): Promise<TestClient> {
  const definition: SocketDefinition = {
    name: 'a socket of the test',
    connect: (_params, socket) => socket.assign(assigns),
    id: () => id,
  }
  return opened(node, definition, {}, {}, options)
}
