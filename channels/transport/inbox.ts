/** What any transport's process is told, whatever its client is connected by. */

import type { Stop } from '../../runtime/genServer/results.ts'
import {
  type BroadcastMessage,
  type DownMessage,
  type ExitReason,
  type Pid,
  type Self,
  type StartResult,
  stop,
} from '../../runtime/index.ts'
import type { ToTransport } from '../wire/link.ts'
import type { Expiry } from './expiry.ts'
import type { Transport } from './transport.ts'

/** What its process keeps beside the transport. */
export interface Connection {
  readonly transport: Transport
  /** A name for all connections of somebody. */
  readonly id: string | undefined
  readonly expiry: Expiry | undefined
}

export type TransportMessage =
  | { readonly type: 'phx:started'; readonly id: number; readonly result: StartResult }
  | { readonly type: 'phx:exit'; readonly pid: Pid; readonly reason: ExitReason }
  | { readonly type: 'phx:late'; readonly id: number }
  | { readonly type: 'phx:end'; readonly reason: ExitReason }
  | DownMessage
  | BroadcastMessage
  | ToTransport

/** Handles it; a Stop when the process has to end. */
export function received(
  { transport, id }: Connection,
  message: TransportMessage,
  self: Self,
): Stop | undefined {
  if (message.type === 'broadcast') {
    // Phoenix.Socket: whoever broadcasts `disconnect` on a socket's id ends its connections.
    const ends = message.topic === id && message.event === 'disconnect'
    return ends ? stop({ shutdown: 'disconnected' }) : undefined
  }
  switch (message.type) {
    case 'phx:started':
      transport.started(message.id, message.result)
      return undefined
    case 'DOWN':
      transport.down(message)
      return undefined
    case 'phx:exit':
      self.exit(message.pid, message.reason)
      return undefined
    case 'phx:late':
      transport.late(message.id)
      return undefined
    case 'phx:end':
      return stop(message.reason)
    case 'phx:joined':
    case 'phx:frame':
    case 'phx:closed':
    case 'phx:drain':
      transport.fromChannel(message)
  }
  return undefined
}

/**
 * Tells the channels of an expiry that comes near. True: what it connected with is no longer good. Else the process hears
 * `phx:expiry` when there is more to do.
 */
export function expired({ expiry, transport }: Connection, self: Self): boolean {
  if (expiry === undefined) return false
  const due = expiry.due(self.now())
  if (due.do === 'expire') return true
  if (due.do === 'warn') transport.expiring(due.leftMs)
  if (due.nextMs !== Number.POSITIVE_INFINITY) self.sendAfter(due.nextMs, { type: 'phx:expiry' })
  return false
}
