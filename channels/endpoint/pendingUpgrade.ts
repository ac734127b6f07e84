/** An upgrade between its turn and its answer, which may take as long as its connect does. */
import type { Duplex } from 'node:stream'
import type { Connecting, ConnectingSocket } from '../transport/connecting.ts'
import type { AcceptedSocket } from '../transport/webSocket.ts'
import { dropUpgrade, refuseUpgrade, watchUpgrade } from './upgrade.ts'

export class PendingUpgrade implements ConnectingSocket {
  readonly definition: Connecting['definition']
  readonly details: Connecting['details']
  readonly settings: Connecting['settings']
  readonly #raw: Duplex
  readonly #accept: () => AcceptedSocket | undefined
  readonly #unwatch: () => void
  #over = false
  #onGone: () => void = () => {}

  /** Watches its connection until it is answered; `accept` does that. */
  constructor(
    { definition, details, settings }: Omit<Connecting, 'onGone'>,
    raw: Duplex,
    accept: () => AcceptedSocket | undefined,
  ) {
    this.definition = definition
    this.details = details
    this.settings = settings
    this.#raw = raw
    this.#accept = accept
    this.#unwatch = watchUpgrade(
      raw,
      () => this.#gone(() => dropUpgrade(raw)),
      () => this.#gone(() => this.refuse(400, 'it sent more before its answer')),
    )
  }

  onGone(listener: () => void): void {
    if (this.#over) listener()
    else this.#onGone = listener
  }

  accept(): AcceptedSocket | undefined {
    return this.#end() ? this.#accept() : undefined
  }

  refuse(status: number, reason: string): void {
    if (this.#end()) refuseUpgrade(this.#raw, status, reason)
  }

  #gone(answer: () => void): void {
    if (this.#over) return
    answer()
    this.#end()
    this.#onGone()
  }

  /** From here on its socket has listeners of its own. False: it had been answered. */
  #end(): boolean {
    if (this.#over) return false
    this.#over = true
    this.#unwatch()
    return true
  }
}
