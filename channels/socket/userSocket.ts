/** socket(): who may connect, as data. The channels it carries are routed where it is mounted. */
import { BeamishError, type Self } from '../../runtime/index.ts'
import type { LineLevel } from '../../runtime/log.ts'
import { DEFAULT_FILTER, type ParameterFilter, parameterFilter } from '../channel/filter.ts'
import type { ConnectDetails } from './details.ts'

/** The socket while it connects: what is assigned here, its channels start with. */
export class ConnectSocket<Assigns extends object = Record<never, never>> {
  #assigns: Assigns
  #expiresAtMs = Number.POSITIVE_INFINITY

  constructor(assigns: Assigns) {
    this.#assigns = assigns
  }

  get assigns(): Readonly<Assigns> {
    return this.#assigns
  }

  /** When what it connected with is no longer good: milliseconds since the epoch. */
  get expiresAtMs(): number {
    return this.#expiresAtMs
  }

  /** Sets assigns. */
  assign<K extends object>(values: K): ConnectSocket<Omit<Assigns, keyof K> & K> {
    this.#assigns = { ...this.#assigns, ...values }
    return this as never
  }

  /**
   * What it connected with is good until then (milliseconds since the epoch). Its channels are pushed `token_expiring` before,
   * so that the client can connect with a new one; then the socket is closed, and an official client comes back by itself. Where
   * it has passed already, the connection is refused with 403, so that the client waits longer each time. Infinity: never.
   *
   * @throws BEAMISH_BAD_OPTION for what is not a number; in connect that refuses the connection, and is logged
   */
  expires(atMs: number): this {
    if (typeof atMs !== 'number' || Number.isNaN(atMs)) {
      throw new BeamishError('BEAMISH_BAD_OPTION', {
        option: 'the time of expires()',
        got: String(atMs),
        fix: 'give milliseconds since the epoch, as Date.now() does; a JWT has seconds in its exp',
      })
    }
    this.#expiresAtMs = atMs
    return this
  }
}

/** A connection that is refused. */
export class Refusal {
  readonly status: number
  constructor(status: number) {
    this.status = status
  }
}

/**
 * Refuses a connection with an HTTP status.
 *
 * @example
 * ```ts
 * import { refuse, socket } from 'beamish/channels'
 * socket('doc-closed', { connect: () => refuse(429) })
 * ```
 * @throws BEAMISH_BAD_OPTION
 */
export function refuse(status = 403): Refusal {
  if (!Number.isInteger(status) || status < 400 || status > 599) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: 'the status of refuse()',
      got: String(status),
      fix: 'give one from 400 to 599',
    })
  }
  return new Refusal(status)
}

export interface SocketSpec<A extends object> {
  /**
   * Decides about a connection, from what the client sent along and what is known of it. Answer the socket, or refuse(). A
   * throw refuses with 403, and is logged.
   */
  connect(
    params: Readonly<Record<string, unknown>>,
    socket: ConnectSocket,
    info: ConnectDetails,
  ): ConnectSocket<A> | Refusal | Promise<ConnectSocket<A> | Refusal>
  /**
   * A name for all connections of somebody: a broadcast of `disconnect` on it closes them. undefined: none.
   */
  readonly id?: (socket: ConnectSocket<A>) => string | undefined
  /**
   * Sees the pings and pongs of the client, in the process of its connection; a ping is answered with a pong in any case. A
   * throw ends the connection.
   */
  readonly handleControl?: (
    control: ControlFrame,
    socket: ConnectSocket<A>,
    self: Self,
  ) => void | Promise<void>
  /** How loud connections are told, taken or refused; false: not at all. Default info. */
  readonly log?: LineLevel | false
  /**
   * Words: parameters whose name holds one of them are [FILTERED] in what is logged of its connections and channels, unless a
   * channel has words of its own. Default password, token and secret; [] hides none.
   */
  readonly filterParameters?: readonly string[]
}

/** A control frame of the client (RFC 6455 section 5.5), 125 bytes at most. */
export interface ControlFrame {
  readonly type: 'ping' | 'pong'
  readonly data: Uint8Array
}

declare const assignsBrand: unique symbol

/** A socket, for socketAt() and for the types of its channels. */
export interface UserSocket<A extends object = object> {
  readonly name: string
  readonly [assignsBrand]?: A
}

/** What a channel finds assigned when it joins. */
export type AssignsOf<U> = U extends UserSocket<infer A> ? A : Record<never, never>

/** A socket as its transports run it. */
export interface SocketDefinition {
  readonly name: string
  connect(
    params: Readonly<Record<string, unknown>>,
    socket: ConnectSocket,
    info: ConnectDetails,
  ): unknown
  readonly id?: (socket: ConnectSocket) => unknown
  readonly handleControl?: (control: ControlFrame, socket: ConnectSocket, self: Self) => unknown
  readonly log?: LineLevel | false
  readonly filter?: ParameterFilter
}

const LEVELS: readonly unknown[] = [undefined, 'debug', 'info', 'warn', 'error', false]

const definitions = new Map<string, SocketDefinition>()

/**
 * Defines a socket under a name that is the same on every thread.
 *
 * @example
 * ```ts
 * import { refuse, socket } from 'beamish/channels'
 * export const User = socket('doc-user', {
 *   connect: ({ user_id }, socket) =>
 *     typeof user_id === 'string' ? socket.assign({ userId: user_id }) : refuse(403),
 *   id: ({ assigns }) => `user:${assigns.userId}`,
 * })
 * ```
 * @throws BEAMISH_BEHAVIOUR_DUPLICATE, BEAMISH_BAD_OPTION
 */
export function socket<A extends object>(name: string, spec: SocketSpec<A>): UserSocket<A> {
  if (typeof spec.connect !== 'function') {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: `connect of socket "${name}"`,
      got: typeof spec.connect,
      fix: 'give a function that answers the socket or refuse()',
    })
  }
  if (!LEVELS.includes(spec.log)) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: `log of socket "${name}"`,
      got: String(spec.log),
      fix: 'give debug, info, warn, error or false',
    })
  }
  if (definitions.has(name)) {
    throw new BeamishError('BEAMISH_BEHAVIOUR_DUPLICATE', { name: `"${name}"` })
  }
  const { filterParameters, ...callbacks } = spec
  const filter =
    filterParameters === undefined
      ? DEFAULT_FILTER
      : parameterFilter(`socket "${name}"`, filterParameters)
  definitions.set(name, { ...(callbacks as unknown as SocketDefinition), name, filter })
  return { name }
}

export const findSocket = (name: string): SocketDefinition | undefined => definitions.get(name)
