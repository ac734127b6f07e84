/** The classes of the official client, as far as they are used here: an app passes in its own. */

export interface PhoenixPush {
  receive(status: string, callback: (response: unknown) => void): unknown
}

export interface PhoenixChannel {
  readonly topic: string
  join(timeoutMs?: number): PhoenixPush
  leave(timeoutMs?: number): PhoenixPush
  push(event: string, payload: object, timeoutMs?: number): PhoenixPush
  on(event: string, callback: (payload: unknown) => void): number
  off(event: string, ref?: number): unknown
  onClose(callback: () => void): unknown
}

export interface PhoenixSocket {
  channel(topic: string, params?: object | (() => object)): PhoenixChannel
}
