/** channel(): what happens on a topic, as data: who may join, which events it takes, what it tells its client. */
import type { NoReply, Stop } from '../../runtime/genServer/results.ts'
import { BeamishError, type ExitReason, type From, type Topic } from '../../runtime/index.ts'
import {
  type CodeChange,
  defineBehaviour,
  findBehaviour,
  type StatusReport,
} from '../../runtime/process/behaviour.ts'
import { type Flags, flagsOf, type MailboxOptions } from '../../runtime/process/flags.ts'
import type { BroadcastMessage } from '../../runtime/process/messages.ts'
import type { TopicEvents } from '../../runtime/pubsub/topic.ts'
import { type ChannelHistory, channelHistory, type HistoryOptions } from '../history/options.ts'
import { type InferPayload, type PayloadSpec, payloadSchema } from '../payload/index.ts'
import type { PayloadSchema } from '../payload/schema.ts'
import { type AssignsOf, findSocket, type UserSocket } from '../socket/userSocket.ts'
import type { Payload } from '../wire/serializer.ts'
import type { AnySocket, Channel, ContractFrom, JoinAssigns, PushesOf } from './contract.ts'
import { DEFAULT_FILTER, type ParameterFilter, parameterFilter } from './filter.ts'
import type { Broadcasts } from './outside.ts'
import { ChannelBehaviour } from './process.ts'
import type { ChannelReply, Joined } from './results.ts'
import type { ChannelSocket, JoiningSocket } from './socket.ts'

export type EventSpecs = Readonly<Record<string, PayloadSpec>>

/** How loud something is told, or false. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | false

type OneOrLater<T> = T | PromiseLike<T>
type Nothing = undefined | void

/** A plain object is a reply of status ok. */
type HandledIn<A extends object, W extends object> = Handled<A, W> | ChannelReply | Payload
type Handled<A extends object, W extends object> = Nothing | ChannelSocket<A, W> | NoReply | Stop
type JoinResult = OneOrLater<AnySocket | Joined | ChannelReply<'error'>>

/** What a handler of an event that is not among `events` would have to return: there is no such value. */
interface NotDeclared<Event> {
  readonly addItToEvents: Event
  readonly [NOT_DECLARED]: never
}
declare const NOT_DECLARED: unique symbol

/** Events of all these topics; of one that several have, the payload is any of theirs. */
type EventsOf<T extends readonly Topic[]> = United<TopicEvents<T[number]>>
type United<U> = { readonly [K in U extends unknown ? keyof U : never]: PayloadOf<U, K> }
type PayloadOf<U, K> = U extends unknown ? (K extends keyof U ? U[K] : never) : never

/**
 * `J`: what join returns; the assigns of all other callbacks follow from it. `R`: what the handlers of handleIn return; the
 * typed client's replies follow from it.
 */
export interface ChannelSpec<
  E extends EventSpecs,
  T extends readonly Topic[],
  U,
  P extends PayloadSpec | undefined,
  W extends EventSpecs | undefined,
  J,
  R,
  A extends object = JoinAssigns<Awaited<J>>,
  S extends object = PushesOf<W>,
> {
  /** The socket it is mounted on: types what `socket.assigns` holds when join begins. */
  readonly socket?: U
  /** Events of the client with their payloads; one that does not fit gets an error reply that says which field, and no handler. */
  readonly events?: E
  /**
   * Events for the clients with their payloads: types push and broadcast of the socket and `on` of the typed client. What is
   * not declared is not sent; in development a payload that does not fit throws where it is sent.
   */
  readonly pushes?: W
  /** Topics whose events handleInfo handles; subscribe to them in join. */
  readonly topics?: T
  /** What a join must send along; anything else is refused with what is wrong. */
  readonly params?: P
  /**
   * Decides about a join. Answer the socket, joined(socket, response), or error(response) to refuse. Until it is answered the
   * channel cannot push or broadcast: send yourself a message for that.
   */
  join(
    topic: string,
    payload: P extends PayloadSpec ? InferPayload<P> : unknown,
    socket: JoiningSocket<AssignsOf<U>, S>,
  ): J & JoinResult
  /**
   * What the client sends, by declared event, or one function for all of them, declared or not. A plain object is a reply of
   * status ok; no answer is none.
   */
  readonly handleIn?:
    | {
        readonly [K in keyof R]: (
          payload: InferPayload<E[K & keyof E]>,
          socket: ChannelSocket<A, S>,
        ) => K extends keyof E ? R[K] & OneOrLater<HandledIn<A, S>> : NotDeclared<K>
      }
    | ((
        event: string,
        payload: unknown,
        socket: ChannelSocket<A, S>,
      ) => OneOrLater<HandledIn<A, S>>)
  /**
   * Broadcasts on this channel's own topic that are to pass through it, by event: push what the client is to see. With
   * `pushes`, those that are declared there.
   */
  readonly handleOut?: {
    readonly [K in keyof S]?: (
      payload: string extends keyof S ? never : S[K],
      socket: ChannelSocket<A, S>,
    ) => OneOrLater<Handled<A, S>>
  }
  /** Broadcasts on the declared topics, by event; `message.topic` says which one it was. */
  readonly handleInfo?: {
    readonly [K in keyof EventsOf<T>]?: (
      payload: EventsOf<T>[K],
      socket: ChannelSocket<A, S>,
      message: BroadcastMessage,
    ) => OneOrLater<Handled<A, S>>
  }
  /**
   * Every other message: sends, DOWN, EXIT, 'timeout', broadcasts without a handler or on topics that are not declared. Without
   * it they are reported and dropped.
   */
  handleMessage?(message: unknown, socket: ChannelSocket<A, S>): OneOrLater<Handled<A, S>>
  /** Calls of other processes, by name. The value is the reply; stopWithReply() replies when terminate is through. */
  readonly handleCall?: Readonly<
    Record<string, (payload: never, socket: ChannelSocket<A, S>, from: From) => unknown>
  >
  readonly handleCast?: Readonly<
    Record<string, (payload: never, socket: ChannelSocket<A, S>) => OneOrLater<Handled<A, S>>>
  >
  /** Makes the assigns of this version from those of another one, for sys.changeCode. */
  readonly codeChange?: (assigns: unknown, change: CodeChange) => unknown
  /**
   * Runs when the client leaves (`{ shutdown: 'left' }`), when its connection ends (`{ shutdown: 'closed' }` and others), at a
   * stop, when a callback has thrown, and when the node drains; of exit signals only for one that traps them.
   */
  terminate?(reason: ExitReason, socket: ChannelSocket<A, S>): unknown
  /**
   * Broadcasts of this channel that are kept for clients that come back: one that sends its last position as `history` with
   * its join is pushed what it missed. docs/replay.md has the client's lines.
   */
  readonly history?: HistoryOptions
  /** Traps exits from the start. Default false. */
  readonly trapExit?: boolean
  /** An unknown event crashes the channel, as in Phoenix, instead of getting an error reply. Default false. */
  readonly strict?: boolean
  /** Hibernates after so many idle milliseconds, or up to twice as many. Default 15,000; Infinity: never. */
  readonly hibernateAfterMs?: number
  /** Milliseconds its terminate may take when it is told to end, or brutal_kill. Default 5,000; Infinity: any. */
  readonly shutdown?: number | 'brutal_kill'
  /** Default info. */
  readonly logJoin?: LogLevel
  /** Default debug. */
  readonly logHandleIn?: LogLevel
  /**
   * Words: parameters and assigns whose name holds one of them are [FILTERED] in logs, crash reports and status. Default those
   * of `socket`, or else password, token and secret; [] hides none.
   */
  readonly filterParameters?: readonly string[]
  /**
   * How status and crash reports show the assigns (`state`), the last message and the reason: what it leaves out is shown as it
   * is. `filterParameters` holds for what it answers, too.
   */
  readonly formatStatus?: (status: StatusReport & { readonly state: A }) => {
    readonly [part in keyof StatusReport]?: unknown
  }
  /** About so many bytes its assigns and mailbox may take; more, and it dies `killed`. Default: no limit. */
  readonly maxHeapBytes?: number
  /**
   * How many messages may wait while a handler takes its time. More, and the channel ends with `{ mailboxFull }`, a phx_error to
   * its client. Default `{ maxLength: 10_000 }`; Infinity: any number.
   */
  readonly mailbox?: ChannelMailbox
}

/** A channel that lost some of its messages would leave its client waiting: it ends instead. */
export interface ChannelMailbox extends Pick<MailboxOptions, 'maxLength' | 'highWater'> {
  readonly policy?: 'exit'
}

type Callback = (...args: readonly unknown[]) => unknown
type Callbacks = Readonly<Record<string, Callback>>

/** A channel as its process runs it. */
export interface ChannelDefinition {
  readonly name: string
  readonly schemas: ReadonlyMap<string, PayloadSchema<unknown>>
  readonly pushes: ReadonlyMap<string, PayloadSchema<unknown>> | undefined
  readonly params: PayloadSchema<unknown> | undefined
  readonly intercepts: ReadonlySet<string>
  readonly history: ChannelHistory | undefined
  readonly hibernateAfterMs: number
  readonly shutdown: number | 'brutal_kill'
  readonly strict: boolean
  readonly trapExit: boolean
  readonly logJoin: LogLevel
  readonly logHandleIn: LogLevel
  readonly filter: ParameterFilter
  readonly flags: Flags | undefined
  /** Names of the declared topics. */
  readonly topics: ReadonlySet<string>
  readonly callbacks: {
    join(topic: string, payload: unknown, socket: ChannelSocket): unknown
    readonly handleIn?: Callbacks | Callback
    readonly handleOut?: Callbacks
    readonly handleInfo?: Callbacks
    handleMessage?(message: unknown, socket: ChannelSocket): unknown
    readonly handleCall?: Callbacks
    readonly handleCast?: Callbacks
    readonly codeChange?: (assigns: unknown, change: CodeChange) => unknown
    readonly formatStatus?: (status: StatusReport) => Partial<StatusReport>
    terminate?(reason: ExitReason, socket: ChannelSocket): unknown
  }
}

const HIBERNATE_AFTER_MS = 15_000
const SHUTDOWN_MS = 5_000
const LEVELS: readonly unknown[] = ['debug', 'info', 'warn', 'error', false]

/**
 * Defines a channel under a name that is the same on every thread. Declare `socket`, `events` and `topics` before `join`: the
 * callbacks are typed from them.
 *
 * @example
 * ```ts
 * import { channel, error, joined, ok, string } from 'beamish/channels'
 * export const Room = channel('doc-chat-room', {
 *   events: { new_msg: { body: string(1, 500) } },
 *   join(topic, _payload, socket) {
 *     if (topic === 'room:secret') return error({ reason: 'unauthorized' })
 *     return joined(socket.assign({ sent: 0 }), { topic })
 *   },
 *   handleIn: {
 *     new_msg({ body }, socket) {
 *       socket.update('sent', (sent) => sent + 1).broadcast('new_msg', { body })
 *       return ok({ sent: socket.assigns.sent })
 *     },
 *   },
 * })
 * ```
 * @throws BEAMISH_BEHAVIOUR_DUPLICATE, BEAMISH_BAD_OPTION, CHN_SCHEMA
 */
export function channel<
  J,
  const E extends EventSpecs = Record<never, never>,
  const T extends readonly Topic[] = readonly [],
  U extends UserSocket | undefined = undefined,
  const P extends PayloadSpec | undefined = undefined,
  const W extends EventSpecs | undefined = undefined,
  R = Record<never, never>,
>(
  name: string,
  spec: ChannelSpec<E, T, U, P, W, J, R>,
): Channel<ContractFrom<E, P, J, R, W>> & Broadcasts<PushesOf<W>> {
  const events = spec.events ?? ({} as E)
  const bad = (option: string, got: unknown, fix: string): BeamishError =>
    new BeamishError('BEAMISH_BAD_OPTION', {
      option: `${option} of channel "${name}"`,
      got: String(got),
      fix,
    })
  if (typeof spec.join !== 'function') {
    throw bad('join', typeof spec.join, 'give a function that answers the socket or error()')
  }
  const { handleIn } = spec
  if (typeof handleIn !== 'function') {
    const handled = Object.keys(handleIn ?? {})
    for (const event of handled) {
      if (Object.hasOwn(events, event)) continue
      throw bad(
        `handleIn.${event}`,
        'not declared',
        `add ${event} to events; any() takes whatever comes`,
      )
    }
    for (const event of Object.keys(events)) {
      if (handled.includes(event)) continue
      throw bad(`events.${event}`, 'without a handler', `add handleIn.${event}, or remove it`)
    }
  }
  const {
    hibernateAfterMs = HIBERNATE_AFTER_MS,
    shutdown = SHUTDOWN_MS,
    logJoin = 'info',
    logHandleIn = 'debug',
  } = spec
  if (!(typeof hibernateAfterMs === 'number' && hibernateAfterMs > 0)) {
    throw bad('hibernateAfterMs', hibernateAfterMs, 'give milliseconds above 0, or Infinity')
  }
  if (shutdown !== 'brutal_kill' && !(typeof shutdown === 'number' && shutdown >= 0)) {
    throw bad('shutdown', shutdown, "give milliseconds from 0 up, Infinity, or 'brutal_kill'")
  }
  for (const [option, level] of Object.entries({ logJoin, logHandleIn })) {
    if (!LEVELS.includes(level)) throw bad(option, level, 'give debug, info, warn, error or false')
  }
  const intercepts = new Set(Object.keys(spec.handleOut ?? {}))
  const definition: ChannelDefinition = {
    name,
    schemas: schemasOf(events),
    pushes: spec.pushes === undefined ? undefined : schemasOf(spec.pushes),
    params: spec.params === undefined ? undefined : payloadSchema(spec.params as PayloadSpec),
    intercepts,
    history:
      spec.history === undefined ? undefined : channelHistory(name, spec.history, intercepts),
    hibernateAfterMs,
    shutdown,
    strict: spec.strict ?? false,
    trapExit: spec.trapExit ?? false,
    logJoin,
    logHandleIn,
    filter: filterOf(name, spec.filterParameters, spec.socket),
    flags: flagsOf({ mailbox: mailboxOf(spec.mailbox, bad), maxHeapBytes: spec.maxHeapBytes }),
    topics: new Set(spec.topics?.map((topic) => topic.name)),
    callbacks: spec as never,
  }
  // The behaviour itself: a module that exports it can be the next version of a running channel.
  return defineBehaviour(new ChannelBehaviour(definition)) as never
}

const MAILBOX: MailboxOptions = { maxLength: 10_000, policy: 'exit' }

function mailboxOf(
  given: ChannelMailbox | undefined,
  bad: (option: string, got: unknown, fix: string) => BeamishError,
): MailboxOptions {
  const mailbox = { ...MAILBOX, ...given }
  if (mailbox.policy === 'exit') return mailbox
  throw bad('mailbox.policy', mailbox.policy, 'leave it out: a full channel ends, it drops nothing')
}

function filterOf(
  name: string,
  words: readonly string[] | undefined,
  socket: UserSocket | undefined,
): ParameterFilter {
  if (words !== undefined) return parameterFilter(`channel "${name}"`, words)
  const found = socket === undefined ? undefined : findSocket(socket.name)
  return found?.filter ?? DEFAULT_FILTER
}

const schemasOf = (events: EventSpecs): ReadonlyMap<string, PayloadSchema<unknown>> =>
  new Map(Object.entries(events).map(([event, fields]) => [event, payloadSchema(fields)]))

/** The version in force on this thread. */
export function findChannel(name: string): ChannelDefinition | undefined {
  const behaviour = findBehaviour(name)
  return behaviour instanceof ChannelBehaviour ? behaviour.definition : undefined
}
