/** The transport as a process: its socket's frames come as messages, its end closes the socket. */

import type { StartResult } from '../../runtime/index.ts'
import {
  type DownMessage,
  type ExitReason,
  genServer,
  type Pid,
  type Self,
  stop,
} from '../../runtime/index.ts'
import { localNode } from '../../runtime/node/local.ts'
import type { ToTransport } from '../wire/link.ts'
import { Outbox } from './outbox.ts'
import { Transport, type TransportSettings } from './transport.ts'
import type { AcceptedSocket } from './webSocket.ts'

/** Sockets on their way to their process: a socket is no message, so the process gets a number and picks it up here. */
const handedOver = new Map<number, { socket: AcceptedSocket; settings: TransportSettings }>()
let nextHandover = 1

/** Puts a socket down for the transport process that is started with the number this returns. */
export function handOver(socket: AcceptedSocket, settings: TransportSettings): number {
  const ticket = nextHandover++
  handedOver.set(ticket, { socket, settings })
  return ticket
}

/** Takes it back when the process could not be started. */
export function takeBack(ticket: number): void {
  handedOver.delete(ticket)
}

interface State {
  readonly transport: Transport
  readonly socket: AcceptedSocket
  readonly outbox: Outbox
  readonly idleTimeoutMs: number
  lastSeenMs: number
  unhandled: number
  paused: boolean
}

type Message =
  | { readonly type: 'ws:text'; readonly text: string }
  | { readonly type: 'ws:binary' }
  | { readonly type: 'ws:closed'; readonly code: number }
  | { readonly type: 'phx:started'; readonly id: number; readonly result: StartResult }
  | { readonly type: 'phx:kill'; readonly pid: Pid }
  | { readonly type: 'idle' }
  | DownMessage
  | ToTransport

export const TransportProcess = genServer('beamish.transport', {
  trapExit: true,
  // Its socket is no data, and wakes it at any time.
  hibernateAfterMs: Number.POSITIVE_INFINITY,
  init(ticket: number, self: Self): State {
    const taken = handedOver.get(ticket)
    handedOver.delete(ticket)
    if (taken === undefined) throw new Error('the socket of this transport is gone')
    const { socket, settings } = taken
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
      settings,
    )
    const state: State = {
      transport,
      socket,
      outbox,
      idleTimeoutMs,
      lastSeenMs: self.now(),
      unhandled: 0,
      paused: false,
    }
    socket.onFrame((text) => {
      state.lastSeenMs = self.now()
      if (++state.unhandled > maxInboundQueue && !state.paused) {
        state.paused = true
        socket.pause()
      }
      self.send(self.pid, text === undefined ? { type: 'ws:binary' } : { type: 'ws:text', text })
    })
    socket.onClose((code) => self.send(self.pid, { type: 'ws:closed', code }))
    socket.resume()
    // Killed or crashed, it runs no terminate: the socket must not outlive its process.
    self.signal.addEventListener('abort', () => {
      outbox.close()
      // After a terminate it is closing already, for the same reason.
      socket.close(closeCode(self.signal.reason as ExitReason), '')
      setTimeout(() => socket.terminate(), LINGER_MS).unref()
    })
    self.sendAfter(idleTimeoutMs, { type: 'idle' })
    return state
  },
  handleInfo(state, received, self) {
    const message = received as Message
    switch (message.type) {
      case 'ws:text':
        handled(state)
        state.transport.received(message.text)
        return
      case 'ws:binary':
        handled(state)
        state.transport.receivedBinary()
        return
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
  terminate(reason, state) {
    state.socket.close(closeCode(reason), '')
  },
})

/** A closed socket gets this long to say goodbye before the connection is cut. */
const LINGER_MS = 3_000

function handled(state: State): void {
  state.unhandled--
  if (state.paused && state.unhandled === 0) {
    state.paused = false
    state.socket.resume()
  }
}

function idle(state: State, self: Self): ReturnType<typeof stop> | undefined {
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
