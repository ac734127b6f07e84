/** Connections on their way to their process: a socket is no message, so the process gets a number and picks it up here. */
import type { ConnectDetails } from '../socket/details.ts'
import type { SocketDefinition } from '../socket/userSocket.ts'
import type { TransportSettings } from './transport.ts'
import type { AcceptedSocket } from './webSocket.ts'

export interface Connecting {
  /** undefined: a socket without a say of its own. */
  readonly definition: SocketDefinition | undefined
  readonly details: ConnectDetails
  readonly settings: Omit<TransportSettings, 'assigns'>
  /** Answers the upgrade; undefined when there is nobody to answer any more. */
  accept(): AcceptedSocket | undefined
  refuse(status: number, reason: string): void
}

const waiting = new Map<number, Connecting>()
let nextTicket = 1

/** Puts a connection down for the transport process that is started with the number this returns. */
export function handOver(connecting: Connecting): number {
  const ticket = nextTicket++
  waiting.set(ticket, connecting)
  return ticket
}

/** Takes it up, or back when the process could not be started. */
export function pickUp(ticket: number): Connecting | undefined {
  const connecting = waiting.get(ticket)
  waiting.delete(ticket)
  return connecting
}
