/** Connections on their way to their process: a socket is no message, so the process gets a number and picks it up here. */
import type { ConnectDetails } from '../socket/details.ts'
import type { SocketDefinition } from '../socket/userSocket.ts'
import type { TransportSettings } from './transport.ts'
import type { AcceptedSocket } from './webSocket.ts'

/** What a transport's process has to know to decide about its connection, and to serve it. */
export interface Connecting {
  /** undefined: a socket without a say of its own. */
  readonly definition: SocketDefinition | undefined
  readonly details: ConnectDetails
  readonly settings: Omit<TransportSettings, 'assigns'>
  /** Calls back when its client is gone before it was answered; at once where it is gone already. */
  onGone(listener: () => void): void
}

export interface ConnectingSocket extends Connecting {
  /** Answers the upgrade; undefined when there is nobody to answer any more. */
  accept(): AcceptedSocket | undefined
  refuse(status: number, reason: string): void
}

export class Handover<C extends Connecting> {
  readonly #waiting = new Map<number, C>()
  #nextTicket = 1

  /** Puts a connection down for the transport process that is started with the number this returns. */
  give(connecting: C): number {
    const ticket = this.#nextTicket++
    this.#waiting.set(ticket, connecting)
    return ticket
  }

  /** Takes it up, or back when the process could not be started. */
  take(ticket: number): C | undefined {
    const connecting = this.#waiting.get(ticket)
    this.#waiting.delete(ticket)
    return connecting
  }
}

export const connectingSockets: Handover<ConnectingSocket> = new Handover()
