/** The transport as a process: its socket's frames come as messages, its end closes the socket. */

import type { NoReply, Stop } from '../../runtime/genServer/results.ts'
import { continueWith, type ExitReason, genServer, noreply, stop } from '../../runtime/index.ts'
import { localNode } from '../../runtime/node/local.ts'
import { Self } from '../../runtime/process/self.ts'
import type { Opening } from '../socket/open.ts'
import type { ControlFrame } from '../socket/userSocket.ts'
import type { Page } from '../wire/link.ts'
import { openPort } from '../wire/port.ts'
import { type Frame, frameBytes } from '../wire/serializer.ts'
import { type ConnectingSocket, connectingSockets } from './connecting.ts'
import { type Deciding, decide, decided } from './decide.ts'
import { expiryOf } from './expiry.ts'
import { type Connection, expired, received, type TransportMessage } from './inbox.ts'
import { Outbox } from './outbox.ts'
import { overflowReport } from './overflow.ts'
import { statusOfTransport } from './report.ts'
import { Transport } from './transport.ts'
import type { AcceptedSocket } from './webSocket.ts'

interface Open extends Connection {
  readonly socket: AcceptedSocket
  readonly outbox: Outbox
  readonly onControl: ((control: ControlFrame) => unknown) | undefined
  readonly idleTimeoutMs: number
  lastSeenMs: number
  unhandled: number
  unhandledBytes: number
  paused: boolean
}

interface Undecided {
  readonly transport: undefined
  readonly deciding: Deciding<ConnectingSocket>
  readonly ending: Ending
}

/** It has a socket once connect has let it in. */
type State = Undecided | Open

type Message =
  | { readonly type: 'ws:frame'; readonly frame: Frame }
  | { readonly type: 'ws:control'; readonly control: ControlFrame }
  | { readonly type: 'ws:closed'; readonly code: number }
  | { readonly type: 'phx:expiry' }
  | { readonly type: 'idle' }
  | TransportMessage

export const TransportProcess = genServer('beamish.transport', {
  trapExit: true,
  // Its socket is no data, and wakes it at any time.
  hibernateAfterMs: Number.POSITIVE_INFINITY,
  formatStatus: statusOfTransport,
  /** Its supervisor does not wait for what connect does. */
  init: (ticket: number) => continueWith(ticket, undefined as unknown as State),
  handleContinue(_none, ticket, self): NoReply<State> | Stop {
    const connecting = connectingSockets.take(ticket as number)
    return connecting === undefined ? stop('normal') : noreply(connect(connecting, self))
  },
  handleCall: {
    page(state, page: Page, self, { pid, ref }) {
      state.transport?.page(page, (isTaken) => self.reply({ pid, ref }, isTaken))
      return noreply()
    },
  },
  handleInfo(state, told, self) {
    const message = told as Message
    if (state.transport === undefined) return connected(state, message, self)
    switch (message.type) {
      case 'ws:frame':
        handled(state, frameBytes(message.frame))
        state.transport.received(message.frame)
        return
      case 'ws:control':
        handled(state, 0)
        return state.onControl?.(message.control) as undefined
      case 'ws:closed':
        // The client has answered the goodbye; the channels are still at their terminate.
        return state.transport.draining ? undefined : stop('normal')
      case 'phx:expiry':
        return expiry(state, self)
      case 'idle':
        return idle(state, self)
      default:
        return received(state, message, self)
    }
  },
  terminate(reason, state: State | undefined) {
    // Through the outbox: what was said in this turn leaves before the goodbye.
    if (state?.transport !== undefined) state.outbox.close(closeCode(reason), '')
  },
})

/** What is done when the process ends, however it does: it may be killed at any time, and then runs no terminate. */
interface Ending {
  act(reason: ExitReason): void
}

/** A function of its own: the process keeps what is said here, and nothing of what connected it. */
function endingOf(self: Self): Ending {
  const ending: Ending = { act: () => {} }
  Self.processOf(self).onExit((reason) => ending.act(reason))
  return ending
}

function connect(connecting: ConnectingSocket, self: Self): Undecided {
  const ending = endingOf(self)
  ending.act = () => connecting.refuse(503, 'its process ended while it connected')
  return { transport: undefined, deciding: decide(connecting, 'websocket', self), ending }
}

/** Goes on when it is decided. */
function connected(
  state: Undecided,
  message: Message,
  self: Self,
): NoReply<State> | Stop | undefined {
  const { deciding, ending } = state
  const opening = decided(deciding, message, self)
  if (opening === undefined) return undefined
  const { connecting } = deciding
  ending.act = () => {}
  if (opening === 'gone') return stop('normal')
  if (!opening.ok) {
    connecting.refuse(opening.status, opening.reason)
    return stop('normal')
  }
  const socket = connecting.accept()
  return socket === undefined ? stop('normal') : serve(self, socket, connecting, opening, ending)
}

/** A function of its own: what its listeners keep must not keep the request. */
function serve(
  self: Self,
  socket: AcceptedSocket,
  { definition, settings }: Pick<ConnectingSocket, 'definition' | 'settings'>,
  opening: Opening & { readonly ok: true },
  ending: Ending,
): NoReply<State> {
  const { scheduler } = localNode(self)
  const { overflow } = settings
  const { maxInboundQueue, maxUnhandledBytes, maxQueueBytes, idleTimeoutMs } = settings.limits
  const report = overflow === 'close' ? undefined : overflowReport(self, settings)
  const outbox = new Outbox(socket, maxQueueBytes, scheduler, overflow, report?.leftOut)
  const transport = new Transport(self, outbox, { ...settings, assigns: opening.assigns })
  const state: Open = {
    transport,
    socket,
    outbox,
    id: opening.id,
    expiry: expiryOf(opening, self),
    onControl: controlOf(self, definition, opening),
    idleTimeoutMs,
    lastSeenMs: self.now(),
    unhandled: 0,
    unhandledBytes: 0,
    paused: false,
  }
  const closePort = openPort(self, transport)
  const came = (message: Message, bytes: number): void => {
    state.unhandledBytes += bytes
    const isOver = ++state.unhandled > maxInboundQueue || state.unhandledBytes > maxUnhandledBytes
    if (isOver && !state.paused) {
      state.paused = true
      socket.pause()
    }
    self.send(self.pid, message)
  }
  socket.onFrame((frame) => {
    state.lastSeenMs = self.now()
    came({ type: 'ws:frame', frame }, frameBytes(frame))
  })
  socket.onControl((type, data) => {
    // Whatever a client sends shows that it is there.
    state.lastSeenMs = self.now()
    if (state.onControl !== undefined) came({ type: 'ws:control', control: { type, data } }, 0)
  })
  socket.onClose((code) => self.send(self.pid, { type: 'ws:closed', code }))
  if (opening.id !== undefined) self.subscribe(opening.id)
  socket.resume()
  // The socket must not outlive its process.
  ending.act = (reason) => {
    closePort()
    transport.close()
    report?.end(outbox)
    outbox.drop()
    // After a terminate it is closing already, for the same reason.
    socket.close(closeCode(reason), '')
    setTimeout(() => socket.terminate(), LINGER_MS).unref()
  }
  if (idleTimeoutMs !== Number.POSITIVE_INFINITY) self.sendAfter(idleTimeoutMs, { type: 'idle' })
  if (state.expiry !== undefined) self.send(self.pid, { type: 'phx:expiry' })
  return noreply(state)
}

function controlOf(
  self: Self,
  definition: ConnectingSocket['definition'],
  opening: Opening & { readonly ok: true },
): Open['onControl'] {
  const handleControl = definition?.handleControl
  return handleControl && ((control) => handleControl(control, opening.socket, self))
}

/** Ends the socket when what it connected with is no longer good. */
function expiry(state: Open, self: Self): Stop | undefined {
  if (!expired(state, self)) return undefined
  state.outbox.close(EXPIRED, 'token expired')
  return stop({ shutdown: 'expired' })
}

/** Close code of a socket whose token has expired: one of the application's own (RFC 6455 section 7.4.2). */
const EXPIRED = 4001

/** A closed socket gets this long to say goodbye before the connection is cut. */
const LINGER_MS = 3_000

function handled(state: Open, bytes: number): void {
  state.unhandled--
  state.unhandledBytes -= bytes
  if (state.paused && state.unhandled === 0) {
    state.paused = false
    state.socket.resume()
  }
}

function idle(state: Open, self: Self): Stop | undefined {
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
