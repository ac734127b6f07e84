/**
 * The client of a test as a process: it holds the other end of the socket, so that what comes out of it is a message to the
 * test, and what the test sends comes in as from a network. The transport behind it is the real one.
 */
import {
  dynamicSupervisor,
  genServer,
  type Pid,
  type Placement,
  type Self,
  stop,
} from '../../runtime/index.ts'
import { findBehaviour } from '../../runtime/process/behaviour.ts'
import { ConnectDetails, type ConnectRequest } from '../socket/details.ts'
import type { SocketDefinition } from '../socket/userSocket.ts'
import { connectingSockets } from '../transport/connecting.ts'
import { type SocketLimits, socketLimits } from '../transport/limits.ts'
import { TransportProcess } from '../transport/process.ts'
import type { Route } from '../transport/routes.ts'
import type { AcceptedSocket } from '../transport/webSocket.ts'
import type { ConnectInfo } from '../wire/link.ts'
import { defaultDecodeLimits } from '../wire/message.ts'
import type { Frame } from '../wire/serializer.ts'
import { type Sent, sentFrame, type Term, termOf, terms } from './terms.ts'

/** To the test, from a client of it. */
export type ToTest = { readonly client: number } & (
  | Term
  | { readonly type: 'connected' }
  | { readonly type: 'refused'; readonly status: number; readonly reason: string }
  | { readonly type: 'closed'; readonly code: number; readonly reason: string }
)

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
  readonly channels: Pid
}

type Message = Sent | { readonly disconnect: number }

/** The socket, whose other end is the test. */
class TestSocket implements AcceptedSocket {
  readonly bufferedBytes = 0
  readonly #tell: (message: Term | { type: 'closed'; code: number; reason: string }) => void
  #onFrame: (frame: Frame) => void = () => {}
  #onClose: (code: number) => void = () => {}
  #closed = false

  constructor(tell: (message: Term | { type: 'closed'; code: number; reason: string }) => void) {
    this.#tell = tell
  }

  send(frames: readonly Frame[], taken?: () => void): void {
    if (this.#closed) return
    for (const frame of frames) this.#tell(termOf<Term>(frame))
    taken?.()
  }

  onControl(): void {}
  pause(): void {}
  resume(): void {}
  terminate(): void {}

  onFrame(listener: (frame: Frame) => void): void {
    this.#onFrame = listener
  }

  onClose(listener: (code: number) => void): void {
    this.#onClose = listener
  }

  /** The server says goodbye: the client hears it, and answers. */
  close(code: number, reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#tell({ type: 'closed', code, reason })
    this.#onClose(code)
  }

  received(sent: Sent): void {
    if (!this.#closed) this.#onFrame(sentFrame(sent))
  }

  /** The client says goodbye. */
  disconnected(code: number): void {
    if (this.#closed) return
    this.#closed = true
    this.#onClose(code)
  }
}

export const ClientProcess = genServer('beamish.testClient', {
  trapExit: true,
  hibernateAfterMs: Number.POSITIVE_INFINITY,
  async init(client: number, self: Self) {
    const setting = settings.get(client)
    if (setting === undefined) return stop('normal')
    settings.delete(client)
    const { test, definition, routes, connect, request, authToken, custom, place } = setting
    const tell = (message: object): void => self.send(test, { ...message, client })
    const socket = new TestSocket(tell)
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
        serializer: terms,
        strict: false,
        connect,
        limits: socketLimits(setting.limits),
        decodeLimits: defaultDecodeLimits,
        overflow: 'close',
        channels,
        place,
      },
      accept: () => {
        tell({ type: 'connected' })
        return socket
      },
      refuse: (status, reason) => tell({ type: 'refused', status, reason }),
    })
    const transport = await self.start(TransportProcess, ticket)
    return { socket, transport, channels } as State
  },
  handleCall: {
    parts: ({ transport, channels }) => ({ transport, channels }),
  },
  handleInfo(state, received) {
    const message = received as Message
    if ('disconnect' in message) state.socket.disconnected(message.disconnect)
    else if ('topic' in message) state.socket.received(message)
  },
})
