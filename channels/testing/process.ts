/**
 * The client of a test as a process: it holds the other end of the socket, so that what comes out of it is a message to the
 * test, and what the test sends comes in as from a network. The transport behind it is the real one.
 */
import {
  type ChildSpec,
  dynamicSupervisor,
  type From,
  genServer,
  noreply,
  type Pid,
  type Placement,
  type Self,
  type StartResult,
  stop,
} from '../../runtime/index.ts'
import { findBehaviour } from '../../runtime/process/behaviour.ts'
import { ConnectDetails, type ConnectRequest } from '../socket/details.ts'
import type { SocketDefinition } from '../socket/userSocket.ts'
import { joinOf } from '../transport/aside.ts'
import { connectingSockets } from '../transport/connecting.ts'
import { type SocketLimits, socketLimits } from '../transport/limits.ts'
import { TransportProcess } from '../transport/process.ts'
import type { Route } from '../transport/routes.ts'
import type { ConnectInfo } from '../wire/link.ts'
import { defaultDecodeLimits } from '../wire/message.ts'
import { phoenixV2 } from '../wire/phoenixV2.ts'
import { TestSocket, type Told, type ToSend } from './socket.ts'

export interface Setting {
  readonly client: number
  /** Who hears of it all. */
  readonly test: Pid
  readonly definition: SocketDefinition
  readonly routes: readonly Route[]
  readonly connect: ConnectInfo
  readonly request: ConnectRequest
  readonly authToken: string | undefined
  readonly custom: Readonly<Record<string, unknown>>
  readonly limits: Partial<SocketLimits>
  readonly strict: boolean
  readonly place: Placement
}

/** A definition and a mutable list of routes are no message: the process picks them up by number. */
const settings = new Map<number, Setting>()

export const putDown = (setting: Setting): number => {
  settings.set(setting.client, setting)
  return setting.client
}

interface State {
  readonly socket: TestSocket
  readonly transport: Pid
  /** The supervisor of its channels. */
  readonly channels: Pid
  /** Of each join, the channel: by its ref. */
  readonly joined: Map<string | null, Pid>
  /** Who asked for a channel before it was known. */
  readonly asking: Map<string | null, From>
}

type Message = ToSend | { readonly disconnect: number }

export const ClientProcess = genServer('beamish.testClient', {
  trapExit: true,
  hibernateAfterMs: Number.POSITIVE_INFINITY,
  async init(client: number, self: Self) {
    const setting = settings.get(client)
    if (setting === undefined) return stop('normal')
    settings.delete(client)
    const { test, definition, routes, connect, request, authToken, custom, place } = setting
    const limits = socketLimits(setting.limits)
    const tell = (told: Told): void => self.send(test, { ...told, client })
    const socket = new TestSocket(tell, limits.maxFrameBytes)
    const spec = dynamicSupervisor({ id: 'channels' })
    const channels = await self.startLink(
      findBehaviour(spec.behaviour) as never,
      spec.argument as never,
    )
    const ticket = connectingSockets.give({
      definition,
      details: new ConnectDetails(request, connect.session, authToken, custom),
      settings: {
        routes,
        serializer: phoenixV2,
        strict: setting.strict,
        connect,
        limits,
        decodeLimits: { ...defaultDecodeLimits, maxDepth: limits.maxDepth },
        overflow: 'close',
        // By way of this process: it keeps which channel is whose, also of one that has ended since.
        channels: self.pid,
        place,
      },
      accept: () => {
        tell({ type: 'connected' })
        return socket
      },
      refuse: (status, reason) => tell({ type: 'refused', status, reason }),
      // It waits for its answer.
      onGone: () => {},
    })
    const transport = await self.start(TransportProcess, ticket)
    const state: State = { socket, transport, channels, joined: new Map(), asking: new Map() }
    return state
  },
  handleCall: {
    transport: ({ transport }) => transport,
    startChild(state, spec: ChildSpec, self, from) {
      const { joinRef } = joinOf(spec)
      // Not awaited here: what is slow to start must not hold up what the client sends.
      self
        .call(state.channels, 'startChild', spec, { timeoutMs: Number.POSITIVE_INFINITY })
        .then((result) => {
          started(state, joinRef, result as StartResult, self)
          self.reply(from, result)
        })
        .catch((error: unknown) => self.reply(from, { ok: false, reason: String(error) }))
      return noreply()
    },
    /** The channel of a join that was taken. */
    channelOf({ joined, asking }, joinRef: string, _self, from) {
      const pid = joined.get(joinRef)
      if (pid !== undefined) return pid
      asking.set(joinRef, from)
      return noreply()
    },
  },
  handleInfo({ socket }, received) {
    const message = received as Message
    if ('disconnect' in message) socket.disconnected(message.disconnect)
    else if ('frame' in message) socket.received(message)
  },
})

function started(
  { joined, asking }: State,
  joinRef: string | null,
  result: StartResult,
  self: Self,
): void {
  if (!result.ok) return
  joined.set(joinRef, result.pid)
  const from = asking.get(joinRef)
  if (from === undefined) return
  asking.delete(joinRef)
  self.reply(from, result.pid)
}
