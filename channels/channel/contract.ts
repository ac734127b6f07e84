/**
 * What a client of a channel may send and what it gets, as types alone: computed once from the channel's declaration, read by
 * the typed client. Nothing here is there at run time.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { NoReply, Stop } from '../../runtime/genServer/results.ts'
import type { InferPayload, PayloadFields } from '../payload/schema.ts'
import type { Payload } from '../wire/serializer.ts'
import type { ChannelReply, Joined } from './results.ts'
import type { ChannelSocket } from './socket.ts'

declare const contract: unique symbol

/** A channel, for the routes of a socket; its type tells a typed client what it may send and gets. */
export interface Channel<C = unknown> {
  readonly name: string
  readonly [contract]?: C
}

/** What a channel and its clients have agreed on. */
export interface Contract<
  Events extends object = object,
  Params = unknown,
  Response = unknown,
  Refusal = unknown,
  Answers extends object = object,
  Pushes extends object = object,
> {
  /** Payloads of the client's events, as it sends them. */
  readonly events: Events
  /** What it joins with. */
  readonly params: Params
  /** What a join that is taken answers. */
  readonly response: Response
  /** What a join that is refused answers. */
  readonly refusal: Refusal
  /** Answers to its events: the union of every status with its response. */
  readonly answers: Answers
  /** Payloads of the events it gets; any, if the channel declares none. */
  readonly pushes: Pushes
}

/** The contract of a channel. */
export type ContractOf<C> = C extends Channel<infer T> ? T : never

/** One status with its response. */
export interface Answer<S extends string = string, P = unknown> {
  readonly status: S
  readonly response: P
}

/** Events of any name with any payload: of a channel that declares none. */
export type AnyPushes = Readonly<Record<string, Payload>>

/** Payloads of declared pushes, by event. */
export type PushesOf<W> = [W] extends [object]
  ? { readonly [K in keyof W]: InferPayload<W[K]> }
  : AnyPushes

/** The socket of a channel, whatever it has assigned and may push. */
export type AnySocket = Pick<ChannelSocket<object, object>, 'self' | 'topic' | 'assigns' | 'ref'>

/** What is to be sent for what was declared: the input of a schema that says what it takes, otherwise its output. */
export type InferSent<Spec> = Spec extends StandardSchemaV1
  ? unknown extends StandardSchemaV1.InferInput<Spec>
    ? StandardSchemaV1.InferOutput<Spec>
    : StandardSchemaV1.InferInput<Spec>
  : Spec extends PayloadFields
    ? Flat<
        { [Name in RequiredNames<Spec>]: InferSent<Spec[Name]> } & {
          [Name in Exclude<keyof Spec, RequiredNames<Spec>>]?: InferSent<Spec[Name]>
        }
      >
    : never

type RequiredNames<Fields extends PayloadFields> = {
  [Name in keyof Fields]: undefined extends InferSent<Fields[Name]> ? never : Name
}[keyof Fields]

type Flat<Type> = { -readonly [Key in keyof Type]: Type[Key] }

/** The answers of what a handler returns; none for what answers later, or never. */
export type AnswerOf<V> =
  V extends ChannelReply<infer S, infer P>
    ? Answer<S, P>
    : V extends Stop<infer Last>
      ? AnswerOf<Last>
      : V extends undefined | void | NoReply | AnySocket
        ? never
        : V extends object
          ? Answer<'ok', V>
          : never

/** What a join that is taken assigns, by what it returns. */
export type JoinAssigns<J> = J extends AnySocket
  ? J['assigns']
  : J extends Joined<infer A, unknown>
    ? A
    : never

type JoinResponse<J> = J extends AnySocket
  ? Record<never, never>
  : J extends Joined<object, infer P>
    ? P
    : never

type JoinRefusal<J> = J extends ChannelReply<'error', infer P> ? P : never

/** The contract of a channel with these events, params, join results, handlers and pushes. */
export type ContractFrom<E, P, J, R, W> = Contract<
  { readonly [K in keyof E]: InferSent<E[K]> },
  [P] extends [undefined] ? unknown : InferSent<P>,
  JoinResponse<Awaited<J>>,
  JoinRefusal<Awaited<J>>,
  {
    readonly [K in keyof E]: K extends keyof R ? AnswerOf<Awaited<R[K]>> : Answer
  },
  PushesOf<W>
>
