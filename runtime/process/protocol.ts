/** Types only: what a process answers to, inferred from the handlers of its behaviour. */
import type { NoReply, Reply, Stop } from '../genServer/results.ts'
import type { Behaviour } from './behaviour.ts'

declare const protocolBrand: unique symbol
declare const argumentBrand: unique symbol

/** Types a behaviour carries for those who start and call it. */
export interface Typed<A, P> {
  readonly [protocolBrand]?: P
  readonly [argumentBrand]?: (argument: A) => void
}

export type ProtocolOf<B> = B extends Typed<never, infer P> ? P : unknown
export type ArgumentOf<B> = B extends { readonly [argumentBrand]?: (argument: infer A) => void }
  ? A
  : unknown

type Handler = (...args: never) => unknown

/** The event names a call may use; any string when nothing is known of the process. */
export type CallEvent<P> = P extends { readonly calls: infer C } ? keyof C & string : string
export type CastEvent<P> = P extends { readonly casts: infer C } ? keyof C & string : string

/** A handler that takes `_: undefined` only to get at `self` has no payload. */
type RequiredPayload<T> = unknown extends T
  ? { required: T }
  : [T] extends [undefined]
    ? 'none'
    : { required: T }

type PayloadOf<F> = F extends Handler
  ? Parameters<F> extends [unknown, infer T, ...unknown[]]
    ? RequiredPayload<T>
    : Parameters<F> extends [unknown, (infer T)?, ...unknown[]]
      ? unknown extends T
        ? 'none'
        : { optional: T }
      : 'none'
  : 'none'

type Arguments<F, O extends unknown[]> =
  PayloadOf<F> extends { required: infer T }
    ? [payload: T, ...O]
    : PayloadOf<F> extends { optional: infer T }
      ? [payload?: T, ...O]
      : [payload?: undefined, ...O]

export type CallPayload<P, E, O> = P extends { readonly calls: infer C }
  ? E extends keyof C
    ? Arguments<C[E], [options?: O]>
    : never
  : [payload?: unknown, options?: O]

export type CastPayload<P, E> = P extends { readonly casts: infer C }
  ? E extends keyof C
    ? Arguments<C[E], []>
    : never
  : [payload?: unknown]

type ReplyValue<R> =
  R extends Reply<infer V> ? V : R extends Stop<infer V> ? V : R extends NoReply ? never : R

/** What a call resolves with. A handler that only ever answers later replies `unknown`. */
export type CallReply<P, E> = P extends { readonly calls: infer C }
  ? E extends keyof C
    ? C[E] extends (...args: never) => infer R
      ? [ReplyValue<Awaited<R>>] extends [never]
        ? unknown
        : ReplyValue<Awaited<R>>
      : unknown
    : unknown
  : unknown

export type TypedBehaviour<A, P> = Behaviour & Typed<A, P>
