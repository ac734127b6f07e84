/** The classes of the official client, as far as they are used here: an app passes in its own. */

export interface PhoenixPush {
  receive(status: string, callback: (response: unknown) => unknown): unknown
}

export interface PhoenixChannel {
  readonly topic: string
  join(timeoutMs?: number): PhoenixPush
  leave(timeoutMs?: number): PhoenixPush
  push(event: string, payload: object, timeoutMs?: number): PhoenixPush
  on(event: string, callback: (payload: unknown) => unknown): number
  off(event: string, ref?: number): unknown
  onClose(callback: () => unknown): unknown
}

export interface PhoenixSocket {
  channel(topic: string, params?: object | (() => object)): PhoenixChannel
}
