/** Sockets as an endpoint plugin: where they are mounted, and which channels they carry. */
import { BeamishError } from '../../runtime/index.ts'
import { findBehaviour } from '../../runtime/process/behaviour.ts'
import { findChannel } from '../channel/channel.ts'
import type { Channel } from '../channel/contract.ts'
import { definePlugin, type PluginSpec, type SocketMount } from '../endpoint/plugin.ts'
import { checkedPath, transportsOf } from '../endpoint/transports.ts'
import { overflowOption } from '../transport/overflow.ts'
import type { Route } from '../transport/routes.ts'
import { phoenixV1 } from '../wire/phoenixV1.ts'
import { phoenixV2 } from '../wire/phoenixV2.ts'
import { findSerializer, type SerializerOption } from '../wire/serializer.ts'
import { checkMountOptions } from './mountOptions.ts'
import { findSocket, type UserSocket } from './userSocket.ts'

/** A channel and what it finds assigned on this route. */
export interface RoutedChannel {
  readonly channel: Channel
  readonly assigns?: Readonly<Record<string, unknown>>
}

export interface SocketAtOptions
  extends Pick<
    SocketMount,
    | 'websocket'
    | 'longpoll'
    | 'checkOrigin'
    | 'limits'
    | 'overflow'
    | 'authToken'
    | 'subprotocols'
    | 'strict'
    | 'connectInfo'
    | 'serializers'
  > {
  /**
   * Topics to channels, looked through in this order: an exact topic, or a prefix with a star, as `room:*`. In place of a
   * channel() may stand any behaviour that answers its join by a ChannelLink.
   */
  readonly channels: Readonly<Record<string, Channel | RoutedChannel>>
}

interface Options extends Omit<SocketAtOptions, 'channels' | 'serializers'> {
  readonly path: string
  readonly socket: string
  readonly channels: readonly {
    readonly topic: string
    readonly channel: string
    readonly assigns: Readonly<Record<string, unknown>> | undefined
  }[]
  readonly serializers: readonly { readonly name: string; readonly versions: string }[]
}

/** Both versions of Phoenix's own wire. */
const SERIALIZERS: readonly SerializerOption[] = [
  { serializer: phoenixV1, versions: '1.0.x' },
  { serializer: phoenixV2, versions: '2.0.x' },
]

const socketPlugin = definePlugin('beamish.socket', (context, options: Options) => {
  const { channels, serializers, ...mount } = options
  if (findSocket(options.socket) === undefined) {
    throw unknown(`socket at ${options.path}`, `socket "${options.socket}"`)
  }
  context.mount({
    ...mount,
    serializers: serializers.map(({ name, versions }) => ({
      serializer: findSerializer(name),
      versions,
    })),
    routes: channels.map(({ topic, channel, assigns }): Route => {
      const definition = findChannel(channel)
      if (definition === undefined && findBehaviour(channel) === undefined) {
        throw unknown(`route ${topic}`, `channel "${channel}"`)
      }
      const route = { topic, behaviour: channel, shutdown: definition?.shutdown ?? 5_000 }
      return assigns === undefined ? route : { ...route, assigns }
    }),
  })
})

/**
 * Mounts a socket at a path, for an endpoint's plugins: the official client connects to it by `new Socket(path)`.
 *
 * @example
 * ```ts
 * import { any, channel, endpoint, ok, socket, socketAt } from 'beamish/channels'
 * const User = socket('doc-mounted', { connect: (_params, socket) => socket })
 * const Room = channel('doc-mounted-room', {
 *   events: { ping: any() },
 *   join: (_topic, _payload, socket) => socket,
 *   handleIn: { ping: () => ok({ pong: true }) },
 * })
 * export const web = endpoint({ plugins: [socketAt('/socket', User, { channels: { 'room:*': Room } })] })
 * ```
 * @throws BEAMISH_BAD_OPTION
 */
export function socketAt(path: string, socket: UserSocket, options: SocketAtOptions): PluginSpec {
  checkedPath(path, 'the path of a socket')
  checkMountOptions(path, options)
  transportsOf({ ...options, path })
  const { channels, serializers = SERIALIZERS, ...rest } = options
  overflowOption(rest.overflow)
  return socketPlugin({
    ...rest,
    path,
    socket: socket.name,
    channels: Object.entries(channels).map(([topic, given]) => {
      const { channel, assigns } =
        'channel' in given ? given : { channel: given, assigns: undefined }
      return { topic, channel: channel.name, assigns }
    }),
    serializers: serializers.map(({ serializer, versions }) => ({
      name: serializer.name,
      versions,
    })),
  })
}

const unknown = (option: string, got: string): BeamishError =>
  new BeamishError('BEAMISH_BAD_OPTION', {
    option,
    got,
    fix: 'define it in a module that the app module imports',
  })
