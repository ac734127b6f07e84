/**
 * What the callbacks of a channel may answer, beside the socket itself: branded, so that a reply can be any map at all. `stop`
 * and `stopWithReply` are those of every process.
 */
import { KEEP, type NextOptions, NoReply } from '../../runtime/genServer/results.ts'
import type { Payload } from '../wire/serializer.ts'
import type { ChannelSocket } from './socket.ts'

/** What comes after an answer: handleMessage gets 'timeout' once idle for so long, or the channel hibernates. */
export type AfterOptions = Pick<NextOptions, 'timeoutMs' | 'hibernate'>

declare const payloadBrand: unique symbol
declare const assignsBrand: unique symbol

/** An answer with a status: to a join, or to an event. */
export class ChannelReply<S extends string = string, P = unknown> {
  readonly status: S
  readonly payload: Payload
  readonly options: AfterOptions | undefined
  declare readonly [payloadBrand]?: P
  constructor(status: S, payload: Payload, options: AfterOptions | undefined) {
    this.status = status
    this.payload = payload
    this.options = options
  }
}

/** A join that is taken, with a response. */
export class Joined<A extends object = object, P = unknown> {
  readonly kind = 'joined'
  readonly payload: Payload
  declare readonly [payloadBrand]?: P
  declare readonly [assignsBrand]?: A
  constructor(payload: Payload) {
    this.payload = payload
  }
}

/**
 * Answers an event with a status of any name, `ok` and `error` among them (`{:reply, {status, payload}, socket}`). The payload
 * is an object or a Uint8Array.
 *
 * @example
 * ```ts
 * import { any, channel, replyWith } from 'beamish/channels'
 * channel('doc-status', {
 *   events: { check: any() },
 *   join: (_topic, _payload, socket) => socket,
 *   handleIn: { check: () => replyWith('busy', { retryInMs: 500 }) },
 * })
 * ```
 */
export function replyWith<S extends string, P extends Payload = Record<never, never>>(
  status: S,
  payload?: P,
  options?: AfterOptions,
): ChannelReply<S, P> {
  return new ChannelReply(status, payload ?? {}, options)
}

/**
 * Takes a join with a response (`{:ok, reply, socket}`); without one, return the socket.
 *
 * @example
 * ```ts
 * import { channel, joined } from 'beamish/channels'
 * channel('doc-welcome', {
 *   join: (_topic, _payload, socket) => joined(socket.assign({ visits: 1 }), { motd: 'hello' }),
 * })
 * ```
 */
export function joined<A extends object, P extends Payload = Record<never, never>>(
  _socket: Pick<ChannelSocket<A>, 'assigns' | 'ref'>,
  response?: P,
): Joined<A, P> {
  return new Joined(response ?? {})
}

/**
 * The status `ok`, for an event.
 *
 * @example
 * ```ts
 * import { any, channel, ok } from 'beamish/channels'
 * channel('doc-ok', {
 *   events: { ping: any() },
 *   join: (_topic, _payload, socket) => socket,
 *   handleIn: { ping: () => ok({ at: 'home' }) },
 * })
 * ```
 */
export const ok = <P extends Payload = Record<never, never>>(
  payload?: P,
  options?: AfterOptions,
): ChannelReply<'ok', P> => replyWith('ok', payload, options)

/**
 * The status `error`: refuses a join, or answers an event.
 *
 * @example
 * ```ts
 * import { channel, error } from 'beamish/channels'
 * channel('doc-error', { join: () => error({ reason: 'unauthorized' }) })
 * ```
 */
export const error = <P extends Payload = Record<never, never>>(
  payload?: P,
  options?: AfterOptions,
): ChannelReply<'error', P> => replyWith('error', payload, options)

/**
 * No answer now, of any callback but join (`{:noreply, socket, timeout | :hibernate}`): as nothing at all, and what comes after.
 *
 * @example
 * ```ts
 * import { any, channel, noreply } from 'beamish/channels'
 * channel('doc-quiet', {
 *   events: { typing: any() },
 *   join: (_topic, _payload, socket) => socket,
 *   handleIn: { typing: () => noreply({ timeoutMs: 3_000 }) },
 *   handleMessage(message, socket) {
 *     if (message === 'timeout') socket.broadcast('stopped_typing')
 *   },
 * })
 * ```
 */
export const noreply = (options?: AfterOptions): NoReply => new NoReply(KEEP, options)
