/** The transport as a process: its socket's frames come as messages, its end closes the socket. */

import type { NoReply, Stop } from '../../runtime/genServer/results.ts'
import {
  continueWith,
  type ExitReason,
  genServer,
  noreply,
  type Self,
  stop,
} from '../../runtime/index.ts'
import { localNode } from '../../runtime/node/local.ts'
import { openPort } from '../wire/port.ts'
import type { Frame } from '../wire/serializer.ts'
import { type ConnectingSocket, connectingSockets } from './connecting.ts'
import { decide } from './decide.ts'
import { Expiry } from './expiry.ts'
import { type Connection, expired, received, type TransportMessage } from './inbox.ts'
import { Outbox } from './outbox.ts'
import { Transport } from './transport.ts'
import type { AcceptedSocket } from './webSocket.ts'

interface State extends Connection {
  readonly socket: AcceptedSocket
  readonly idleTimeoutMs: number
  lastSeenMs: number
  unhandled: number
  paused: boolean
}

type Message =
  | { readonly type: 'ws:frame'; readonly frame: Frame }
  | { readonly type: 'ws:closed'; readonly code: number }
  | { readonly type: 'phx:expiry' }
  | { readonly type: 'idle' }
  | TransportMessage

export const TransportProcess = genServer('beamish.transport', {
  trapExit: true,
  // Its socket is no data, and wakes it at any time.
  hibernateAfterMs: Number.POSITIVE_INFINITY,
  // connect is its application's.
  containStrays: true,
  /** Its supervisor does not wait for what connect awaits. */
  init: (ticket: number) => continueWith(ticket, undefined as unknown as State),
  async handleContinue(_none, ticket, self): Promise<NoReply<State> | Stop> {
    const connecting = connectingSockets.take(ticket as number)
    return connecting === undefined ? stop('normal') : connect(connecting, self)
  },
  handleInfo(state, told, self) {
    const message = told as Message
    switch (message.type) {
      case 'ws:frame':
        handled(state)
        state.transport.received(message.frame)
        return
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
    // A crash of connect's comes before there is a socket.
    state?.socket.close(closeCode(reason), '')
  },
})

async function connect(connecting: ConnectingSocket, self: Self): Promise<NoReply<State> | Stop> {
  const { settings } = connecting
  const opening = await decide(connecting, 'websocket', self)
  if (!opening.ok) {
    connecting.refuse(opening.status, opening.reason)
    return stop('normal')
  }
  const socket = connecting.accept()
  if (socket === undefined) return stop('normal')
  const { scheduler } = localNode(self)
  const { maxInboundQueue, maxQueueBytes, idleTimeoutMs } = settings.limits
  const outbox = new Outbox(socket, maxQueueBytes, (flush) => scheduler.atTurnEnd(flush))
  const transport = new Transport(
    self,
    {
      write: (frame) => outbox.push(frame),
      close: (code, reason) => {
        outbox.flush()
        outbox.close()
        socket.close(code, reason)
      },
    },
    { ...settings, assigns: opening.assigns },
  )
  const state: State = {
    transport,
    socket,
    id: opening.id,
    expiry: new Expiry(opening.expiresAtMs),
    idleTimeoutMs,
    lastSeenMs: self.now(),
    unhandled: 0,
    paused: false,
  }
  const closePort = openPort(self, transport)
  socket.onFrame((frame) => {
    state.lastSeenMs = self.now()
    if (++state.unhandled > maxInboundQueue && !state.paused) {
      state.paused = true
      socket.pause()
    }
    self.send(self.pid, { type: 'ws:frame', frame })
  })
  socket.onClose((code) => self.send(self.pid, { type: 'ws:closed', code }))
  if (opening.id !== undefined) self.subscribe(opening.id)
  socket.resume()
  // Killed or crashed, it runs no terminate: the socket must not outlive its process.
  self.signal.addEventListener('abort', () => {
    closePort()
    transport.close()
    outbox.close()
    // After a terminate it is closing already, for the same reason.
    socket.close(closeCode(self.signal.reason as ExitReason), '')
    setTimeout(() => socket.terminate(), LINGER_MS).unref()
  })
  if (idleTimeoutMs !== Number.POSITIVE_INFINITY) self.sendAfter(idleTimeoutMs, { type: 'idle' })
  expiry(state, self)
  return noreply(state)
}

/** Ends the socket when what it connected with is no longer good. */
function expiry(state: State, self: Self): Stop | undefined {
  if (!expired(state, self)) return undefined
  state.socket.close(EXPIRED, 'token expired')
  return stop({ shutdown: 'expired' })
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
