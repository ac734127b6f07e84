/** The classes of the official client, as far as they are used here: an app passes in its own. */

export interface PhoenixPush {
  receive(status: string, callback: (response: unknown) => void): unknown
  /** Its own since it was sent, or was to be. */
  readonly ref?: string | null
  /** False while it waits for the join. */
  readonly sent?: boolean
  cancelTimeout?(): void
}

export interface PhoenixChannel {
  readonly topic: string
  /** `closed` before the join and after the end. */
  readonly state?: string
  join(timeoutMs?: number): PhoenixPush
  leave(timeoutMs?: number): PhoenixPush
  push(event: string, payload: object, timeoutMs?: number): PhoenixPush
  on(event: string, callback: (payload: unknown, ref?: unknown) => void): number
  off(event: string, ref?: number): unknown
  onClose(callback: () => void): unknown
}

export interface PhoenixSocket {
  channel(topic: string, params?: object | (() => object)): PhoenixChannel
}
