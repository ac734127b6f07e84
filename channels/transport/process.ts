/** The transport as a process: its socket's frames come as messages, its end closes the socket. */

import type { NoReply, Stop } from '../../runtime/genServer/results.ts'
import {
  continueWith,
  type DownMessage,
  type ExitReason,
  genServer,
  noreply,
  type Pid,
  type StartResult,
  stop,
} from '../../runtime/index.ts'
import { localNode } from '../../runtime/node/local.ts'
import { BroadcastMessage } from '../../runtime/process/messages.ts'
import { Self } from '../../runtime/process/self.ts'
import { runOnceAs } from '../../runtime/process/strays.ts'
import { OPEN, type Opening, openSocket } from '../socket/open.ts'
import type { ControlFrame } from '../socket/userSocket.ts'
import type { ToTransport } from '../wire/link.ts'
import { openPort } from '../wire/port.ts'
import type { Frame } from '../wire/serializer.ts'
import { type Connecting, pickUp } from './connecting.ts'
import { Expiry } from './expiry.ts'
import { Outbox } from './outbox.ts'
import { OverflowReport } from './overflow.ts'
import { socketConnected } from './report.ts'
import { Transport } from './transport.ts'
import type { AcceptedSocket } from './webSocket.ts'

interface State {
  readonly transport: Transport
  readonly socket: AcceptedSocket
  readonly id: string | undefined
  readonly expiry: Expiry | undefined
  readonly onControl: ((control: ControlFrame) => unknown) | undefined
  readonly idleTimeoutMs: number
  lastSeenMs: number
  unhandled: number
  paused: boolean
}

type Message =
  | { readonly type: 'ws:frame'; readonly frame: Frame }
  | { readonly type: 'ws:control'; readonly control: ControlFrame }
  | { readonly type: 'ws:closed'; readonly code: number }
  | { readonly type: 'phx:started'; readonly id: number; readonly result: StartResult }
  | { readonly type: 'phx:kill'; readonly pid: Pid }
  | { readonly type: 'phx:late'; readonly id: number }
  | { readonly type: 'phx:end'; readonly reason: ExitReason }
  | { readonly type: 'phx:expiry' }
  | { readonly type: 'idle' }
  | DownMessage
  | ToTransport

export const TransportProcess = genServer('beamish.transport', {
  trapExit: true,
  // Its socket is no data, and wakes it at any time.
  hibernateAfterMs: Number.POSITIVE_INFINITY,
  /** Its supervisor does not wait for what connect awaits. */
  init: (ticket: number) => continueWith(ticket, undefined as unknown as State),
  async handleContinue(_none, ticket, self): Promise<NoReply<State> | Stop> {
    const connecting = pickUp(ticket as number)
    return connecting === undefined ? stop('normal') : connect(connecting, self)
  },
  handleInfo(state, received, self) {
    if (received instanceof BroadcastMessage) {
      // Phoenix.Socket: whoever broadcasts `disconnect` on a socket's id ends its connections.
      const { topic, event } = received
      if (topic !== state.id || event !== 'disconnect') return
      return stop({ shutdown: 'disconnected' })
    }
    const message = received as Message
    switch (message.type) {
      case 'ws:frame':
        handled(state)
        state.transport.received(message.frame)
        return
      case 'ws:control':
        handled(state)
        return state.onControl?.(message.control) as undefined
      case 'ws:closed':
        // The client has answered the goodbye; the channels are still at their terminate.
        return state.transport.draining ? undefined : stop('normal')
      case 'phx:started':
        state.transport.started(message.id, message.result)
        return
      case 'DOWN':
        state.transport.down(message)
        return
      case 'phx:kill':
        self.exit(message.pid, 'kill')
        return
      case 'phx:late':
        state.transport.late(message.id)
        return
      case 'phx:end':
        return stop(message.reason)
      case 'phx:expiry':
        return expiry(state, self)
      case 'idle':
        return idle(state, self)
      case 'phx:joined':
      case 'phx:frame':
      case 'phx:closed':
      case 'phx:handled':
      case 'phx:drain':
        state.transport.fromChannel(message)
    }
  },
  terminate(reason, state: State | undefined) {
    // A crash of connect's comes before there is a socket.
    state?.socket.close(closeCode(reason), '')
  },
})

async function connect(connecting: Connecting, self: Self): Promise<NoReply<State> | Stop> {
  const { definition, details, settings } = connecting
  const { params } = settings.connect
  const startedMs = self.now()
  // What the application's connect leaves behind is this process's, and not its thread's.
  const opening =
    definition === undefined
      ? OPEN
      : await runOnceAs(Self.processOf(self), () => openSocket(definition, params, details))
  const told = {
    socket: definition?.name ?? 'live view',
    transport: 'websocket',
    serializer: settings.serializer.name,
    pid: self.pid,
    tookMs: self.now() - startedMs,
  } as const
  if (definition !== undefined) {
    socketConnected({ ...told, connected: opening.ok }, params, definition.log)
  }
  if (!opening.ok) {
    connecting.refuse(opening.status, opening.reason)
    return stop('normal')
  }
  const socket = connecting.accept()
  return socket === undefined ? stop('normal') : serve(self, socket, connecting, opening)
}

/** A function of its own: what its listeners keep must not keep the request. */
function serve(
  self: Self,
  socket: AcceptedSocket,
  { definition, settings }: Pick<Connecting, 'definition' | 'settings'>,
  opening: Opening & { readonly ok: true },
): NoReply<State> {
  const { scheduler } = localNode(self)
  const { overflow } = settings
  const { maxInboundQueue, maxQueueBytes, idleTimeoutMs } = settings.limits
  const report = overflow === 'close' ? undefined : overflowReport(self, settings)
  const outbox = new Outbox(socket, maxQueueBytes, scheduler, overflow, report?.leftOut)
  const transport = new Transport(self, outbox, { ...settings, assigns: opening.assigns })
  const state: State = {
    transport,
    socket,
    id: opening.id,
    // From here on by the node's own clock, as its timers go.
    expiry:
      opening.expiresAtMs === Number.POSITIVE_INFINITY
        ? undefined
        : new Expiry(opening.expiresAtMs - Date.now() + self.now()),
    onControl: controlOf(self, definition, opening),
    idleTimeoutMs,
    lastSeenMs: self.now(),
    unhandled: 0,
    paused: false,
  }
  const closePort = openPort(self, transport)
  const came = (message: Message): void => {
    if (++state.unhandled > maxInboundQueue && !state.paused) {
      state.paused = true
      socket.pause()
    }
    self.send(self.pid, message)
  }
  socket.onFrame((frame) => {
    state.lastSeenMs = self.now()
    came({ type: 'ws:frame', frame })
  })
  socket.onControl((type, data) => {
    // Whatever a client sends shows that it is there.
    state.lastSeenMs = self.now()
    if (state.onControl !== undefined) came({ type: 'ws:control', control: { type, data } })
  })
  socket.onClose((code) => self.send(self.pid, { type: 'ws:closed', code }))
  if (opening.id !== undefined) self.subscribe(opening.id)
  socket.resume()
  // Killed or crashed, it runs no terminate: the socket must not outlive its process.
  Self.processOf(self).onExit((reason) => {
    closePort()
    transport.close()
    report?.end(outbox)
    outbox.drop()
    // After a terminate it is closing already, for the same reason.
    socket.close(closeCode(reason), '')
    setTimeout(() => socket.terminate(), LINGER_MS).unref()
  })
  if (idleTimeoutMs !== Number.POSITIVE_INFINITY) self.sendAfter(idleTimeoutMs, { type: 'idle' })
  expiry(state, self)
  return noreply(state)
}

function controlOf(
  self: Self,
  definition: Connecting['definition'],
  opening: Opening & { readonly ok: true },
): State['onControl'] {
  const handleControl = definition?.handleControl
  return handleControl && ((control) => handleControl(control, opening.socket, self))
}

function overflowReport(self: Self, { connect, overflow, limits }: Connecting['settings']) {
  const { remoteAddress } = connect
  const { maxQueueBytes } = limits
  return new OverflowReport({ pid: self.pid, remoteAddress, overflow, maxQueueBytes }, () =>
    self.now(),
  )
}

/** Tells the channels of an expiry that comes near, and ends the socket when it is there. */
function expiry(state: State, self: Self): Stop | undefined {
  if (state.expiry === undefined) return undefined
  const { transport } = state
  const due = state.expiry.due(self.now())
  if (due.do === 'expire') {
    state.socket.close(EXPIRED, 'token expired')
    return stop({ shutdown: 'expired' })
  }
  if (due.do === 'warn') transport.expiring(due.leftMs)
  if (due.nextMs !== Number.POSITIVE_INFINITY) self.sendAfter(due.nextMs, { type: 'phx:expiry' })
  return undefined
}

/** Close code of a socket whose token has expired: one of the application's own (RFC 6455 section 7.4.2). */
const EXPIRED = 4001

/** A closed socket gets this long to say goodbye before the connection is cut. */
const LINGER_MS = 3_000

function handled(state: State): void {
  state.unhandled--
  if (state.paused && state.unhandled === 0) {
    state.paused = false
    state.socket.resume()
  }
}

function idle(state: State, self: Self): Stop | undefined {
  const left = state.lastSeenMs + state.idleTimeoutMs - self.now()
  if (left > 0) {
    self.sendAfter(left, { type: 'idle' })
    return undefined
  }
  return stop({ shutdown: 'idle' })
}

/** Never 1000 by ourselves: clients do not come back after it. */
function closeCode(reason: ExitReason): number {
  if (reason === 'normal' || reason === 'shutdown') return 1001
  if (typeof reason === 'object' && reason !== null && 'shutdown' in reason) {
    return reason.shutdown === 'draining' ? 1012 : 1001
  }
  return 1011
}
