/** What a typed client reads of a channel's type. Nothing here is there at run time. */
import type { Answer, Channel, Contract } from '../channel/contract.ts'
import type { FieldIssue } from './errors.ts'
import type { Json } from './json.ts'

/** The contract of a channel; one without types takes and gives anything. */
export type TermsOf<C> = C extends Channel<infer T> ? (T extends Contract ? T : Contract) : Contract

/** Events of the client, by name, with what it sends. */
export type EventsOf<C> = TermsOf<C>['events']
/** What it joins with. */
export type ParamsOf<C> = TermsOf<C>['params']
/** Events for the client, by name, with what it gets. */
export type PushesOf<C> = TermsOf<C>['pushes']
/** What a join that is taken answers. */
export type ResponseOf<C> = TermsOf<C>['response']

/** Answers to an event, as a union of statuses with their responses. */
export type AnswersOf<C, K> = K extends keyof TermsOf<C>['answers']
  ? Extract<TermsOf<C>['answers'][K], Answer>
  : Answer

/** Bytes leave as any view of them, and arrive as a buffer; anything else arrives as JSON has it: a Date as text. */
export type Sendable<P> = P extends Uint8Array ? ArrayBufferView | ArrayBuffer : P
export type Received<P> = P extends Uint8Array ? ArrayBuffer : Json<P>

/** What the server itself answers when it does not pass an event, or a join, on to the channel. */
export interface Refusal {
  readonly reason: string
  /** With the reason `invalid payload`: which field, and what about it. */
  readonly issues?: readonly FieldIssue[]
}

/** What needs not be said may be left out. */
export type SendArguments<P, O> =
  Record<never, never> extends P
    ? [payload?: Sendable<P>, options?: O]
    : [payload: Sendable<P>, options?: O]

/** Params may be a function, which is asked again at each rejoin. */
export type JoinArguments<P> = unknown extends P
  ? [params?: object | (() => object)]
  : Record<never, never> extends P
    ? [params?: P | (() => P)]
    : [params: P | (() => P)]

/** The response of one status; of one that no handler is seen to answer, as a reply that comes later, anything. */
export type AnswerTo<A, S extends string> = [Extract<A, { readonly status: S }>] extends [never]
  ? unknown
  : Received<Extract<A, { readonly status: S; readonly response: unknown }>['response']>

type Declared<A, S extends string> = Received<
  Extract<A, { readonly status: S; readonly response: unknown }>['response']
>

/** Answers of another status than `ok` and `error`, as far as their names are known. */
type OthersOf<A> =
  A extends Answer<infer S, infer P>
    ? string extends S
      ? never
      : S extends 'ok' | 'error'
        ? never
        : { readonly status: S; readonly response: Received<P> }
    : never

/** How a push ends. */
export type Outcome<A> =
  | { readonly status: 'ok'; readonly response: AnswerTo<A, 'ok'> }
  | { readonly status: 'error'; readonly response: Declared<A, 'error'> | Refusal }
  | OthersOf<A>
  /**
   * No answer came: in time; before the channel was closed; or before it crashed or the connection was lost, when the event had
   * been sent and may have been handled.
   */
  | { readonly status: 'timeout' | 'closed' | 'lost'; readonly response: undefined }
