/**
 * Endpoint plugins: what an endpoint serves, set up once per thread. A plugin is known by name on every thread, like a
 * behaviour; the child spec of the endpoint carries its name and its options as data.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { BeamishError, type Self } from '../../runtime/index.ts'
import type { LocalNode } from '../../runtime/node/local.ts'
import type { SocketLimits } from '../transport/limits.ts'
import type { Overflow } from '../transport/outbox.ts'
import type { Route } from '../transport/routes.ts'
import type { OriginOption } from '../wire/origin.ts'
import type { SerializerOption } from '../wire/serializer.ts'
import type { PageSession } from './pageSession.ts'
import type { TransportOptions } from './transports.ts'

/** A socket the endpoint mounts: `path` + `/websocket` speaks the Phoenix wire, and `path` + `/longpoll` if that is on. */
export interface SocketMount extends TransportOptions {
  /** May hold variables, as `/rooms/:id`: they are parameters of the connection. */
  readonly path: string
  readonly routes: readonly Route[]
  /** Name of the socket that decides about connections; without one all are taken. */
  readonly socket?: string
  /** Default true: the page's host and port are the request's. */
  readonly checkOrigin?: OriginOption
  readonly limits?: Partial<SocketLimits>
  /**
   * What becomes of a socket for whose client more than `maxQueueBytes` wait. Default close: it comes back by itself. drop and
   * conflate are for events that need not all arrive; a live view's need.
   */
  readonly overflow?: Overflow
  /** Default: version 2 of Phoenix's wire. */
  readonly serializers?: readonly SerializerOption[]
  /** Takes the token of an official client's `authToken`. Default false. */
  readonly authToken?: boolean
  /** Subprotocols that are spoken; the first one offered is answered. */
  readonly subprotocols?: readonly string[]
  /** A frame that cannot be read ends its socket, as in Phoenix. Default false: it gets an error reply. */
  readonly strict?: boolean
  /** For connect, as `info.custom`. */
  readonly connectInfo?: Readonly<Record<string, unknown>>
}

export interface PluginContext {
  /** The thread's Fastify instance, before it listens. */
  readonly fastify: FastifyInstance
  /** The endpoint's process: what a route broadcasts, calls and casts comes from it. Do not subscribe it to anything. */
  readonly self: Self
  readonly node: LocalNode
  /** Name of the session cookie. */
  readonly cookie: string
  /**
   * The visitor's session, for a route: what its signed cookie holds, and the CSRF token for its page. One is made where there
   * is none, and the cookie goes out with the reply; keep such a page out of caches (`cache-control: no-store`).
   */
  session(request: FastifyRequest, reply: FastifyReply): PageSession
  mount(socket: SocketMount): void
}

export type PluginSetup<O> = (context: PluginContext, options: O) => void | Promise<void>

/** A plugin as data, for the endpoint's spec. */
export interface PluginSpec {
  readonly plugin: string
  readonly options: unknown
}

const plugins = new Map<string, PluginSetup<never>>()

/**
 * Makes a plugin known on this thread; returns the function that names it in an endpoint's spec. Use it to put routes of
 * your own, or any Fastify plugin, beside channels and live views.
 *
 * @example
 * ```ts
 * import { definePlugin, endpoint } from 'beamish/channels'
 * const health = definePlugin('doc-health', ({ fastify }, path: string) => {
 *   fastify.get(path, () => ({ ok: true }))
 * })
 * export const web = endpoint({ plugins: [health('/health')] })
 * ```
 * @throws BEAMISH_BEHAVIOUR_DUPLICATE
 */
export function definePlugin<O = undefined>(
  name: string,
  setup: PluginSetup<O>,
): (options: O) => PluginSpec {
  const known = plugins.get(name)
  if (known !== undefined && known !== setup) {
    throw new BeamishError('BEAMISH_BEHAVIOUR_DUPLICATE', { name: `"${name}"` })
  }
  plugins.set(name, setup as PluginSetup<never>)
  return (options) => ({ plugin: name, options })
}

export function findPlugin(name: string): PluginSetup<unknown> {
  const setup = plugins.get(name)
  if (setup === undefined) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: 'plugins',
      got: JSON.stringify(name),
      fix: 'define it with definePlugin in a module that the app module imports',
    })
  }
  return setup as PluginSetup<unknown>
}
