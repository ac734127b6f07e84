/** How a client of a test gets its connection: by the connect of a socket, or without. */
import { BeamishError, type Placement } from '../../runtime/index.ts'
import type { TestNode } from '../../runtime/testing/index.ts'
import type { Channel } from '../channel/contract.ts'
import type { HeaderPairs } from '../socket/details.ts'
import type { RoutedChannel } from '../socket/socketAt.ts'
import { findSocket, type SocketDefinition, type UserSocket } from '../socket/userSocket.ts'
import type { SocketLimits } from '../transport/limits.ts'
import { routeOf, TestClient } from './client.ts'
import { ConnectRefused } from './errors.ts'
import { paramsOf, queryWithVersion } from './params.ts'
import { ClientProcess, putDown } from './process.ts'
import type { ToTest } from './socket.ts'

/** What the request of a test's client looks like (Phoenix `connect_info`). */
export interface TestConnectInfo {
  readonly headers?: Readonly<Record<string, string>> | HeaderPairs
  /** Path and query. Default /socket/websocket with the params. */
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
  /** A frame that cannot be read ends the socket. Default false. */
  readonly strict?: boolean
  /** The thread its connection is on. Default: any. */
  readonly scheduler?: number
  /** Where its channels run: beside their connection, as an endpoint has them, or anywhere. Default here. */
  readonly place?: Placement
}

let clients = 0

const DEFAULT_PATH = '/socket/websocket'

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
  const { headers = {} } = info
  const query = queryWithVersion(params)
  // A session is JSON in a cookie.
  const session = info.session && JSON.parse(JSON.stringify(info.session))
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
      params: paramsOf(query),
      session,
      userAgent: undefined,
      remoteAddress: info.address,
      url: 'http://localhost',
    },
    request: {
      headers: Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value])),
      url: info.url ?? `${DEFAULT_PATH}?${query}`,
      encrypted: info.encrypted ?? false,
      address: info.address ?? '127.0.0.1',
      port: info.port,
    },
    authToken: info.authToken,
    custom: info.custom ?? {},
    // A client of a test sends no heartbeats.
    limits: { idleTimeoutMs: Number.POSITIVE_INFINITY, ...options.limits },
    strict: options.strict ?? false,
    place: options.place ?? 'here',
  })
  const place: Placement =
    options.scheduler === undefined ? 'any' : { scheduler: options.scheduler }
  const pid = await node.spawn(ClientProcess, ticket, { place })
  const decided = await node.assertReceive<ToTest>(
    function theOutcomeOfConnect(message: unknown) {
      const told = message as ToTest | null
      return told?.client === number && (told.type === 'connected' || told.type === 'refused')
    },
    { withinMs: Number.POSITIVE_INFINITY },
  )
  if (decided.type === 'refused') throw new ConnectRefused(decided.status, decided.reason)
  const transport = await node.self.call(pid, 'transport')
  return new TestClient(node, { pid, transport, number, routes, assigns, id })
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
