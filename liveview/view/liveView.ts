/** liveView(): a page that lives on the server, as data: what it subscribes to, which events it takes, how it renders. */

import { type InferPayload, type PayloadSpec, payloadSchema } from '../../channels/payload/index.ts'
import type { PayloadSchema } from '../../channels/payload/schema.ts'
import { BeamishError, type ExitReason, type Topic } from '../../runtime/index.ts'
import type { TopicEvents } from '../../runtime/pubsub/topic.ts'
import type { Rendered } from '../template/rendered.ts'
import type { LiveSocket } from './socket.ts'

/** Query and path parameters, decoded; nested as `a[b]=c`. */
export type Params = Readonly<Record<string, unknown>>
/** The visitor's signed session. */
export type Session = Readonly<Record<string, unknown>>

export type EventSpecs = Readonly<Record<string, PayloadSpec>>

type Done<A extends object> = LiveSocket<A> | undefined | void
type Result<A extends object> = Done<A> | Promise<Done<A>>

/** All events of the declared topics, by name. */
type EventsOf<T extends readonly Topic[]> = Intersected<TopicEvents<T[number]>>
type Intersected<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void
  ? I
  : never

export interface LiveViewSpec<E extends EventSpecs, T extends readonly Topic[], A extends object> {
  /** Topics whose events handleInfo handles; subscribe to them in mount. */
  readonly topics?: T
  /** Events of the page with their payloads; one that does not fit never reaches a handler. */
  readonly events?: E
  /** Runs twice: for the page over HTTP, and when the page has connected (`socket.connected`). Returns socket.assign(…). */
  mount(
    params: Params,
    session: Session,
    socket: LiveSocket,
  ): LiveSocket<A> | Promise<LiveSocket<A>>
  /** Runs after mount and whenever the page's URL changes in place. */
  handleParams?(params: Params, url: string, socket: LiveSocket<A>): Result<A>
  readonly handleEvent?: {
    readonly [K in keyof E]: (payload: InferPayload<E[K]>, socket: LiveSocket<A>) => Result<A>
  }
  /** Broadcasts on the declared topics, by event. */
  readonly handleInfo?: {
    readonly [K in keyof EventsOf<T>]?: (
      payload: EventsOf<T>[K],
      socket: LiveSocket<A>,
    ) => Result<A>
  }
  /** Every other message: sends, DOWN, EXIT, broadcasts without a handler. Without it they are reported and dropped. */
  handleMessage?(message: unknown, socket: LiveSocket<A>): Result<A>
  /** The page, from its assigns alone. */
  readonly render: (assigns: A) => Rendered
  /**
   * Hibernates after so many idle milliseconds, or up to twice as many: assigns and last render are serialized where that saves
   * memory. Assigns must be data for that; a view whose assigns are not stays awake, and a notice says so. What broadcasts gave
   * to many views is shared, and stays so. Default 15,000; Infinity: never.
   */
  readonly hibernateAfterMs?: number
  /** Runs when the page leaves, when a callback has thrown, and when the node drains; not when killed. */
  terminate?(reason: ExitReason, socket: LiveSocket<A>): unknown
}

type AnySocket = LiveSocket<Record<string, unknown>>
type Handler = (payload: unknown, socket: AnySocket) => unknown

/** A live view, ready to run. */
export interface LiveView {
  readonly name: string
  readonly schemas: ReadonlyMap<string, PayloadSchema<unknown>>
  readonly hibernateAfterMs: number
  readonly callbacks: {
    mount(params: Params, session: Session, socket: LiveSocket): unknown
    handleParams?(params: Params, url: string, socket: AnySocket): unknown
    readonly handleEvent?: Readonly<Record<string, Handler>>
    readonly handleInfo?: Readonly<Record<string, Handler>>
    handleMessage?(message: unknown, socket: AnySocket): unknown
    readonly render: (assigns: Record<string, unknown>) => Rendered
    terminate?(reason: ExitReason, socket: AnySocket): unknown
  }
}

const HIBERNATE_AFTER_MS = 15_000

const views = new Map<string, LiveView>()

/**
 * Defines a live view under a name that is the same on every thread. Declare `events` and `topics` before `mount`: the
 * handlers are typed from them.
 *
 * @example
 * ```ts
 * import { integer } from 'beamish/channels'
 * import { html, liveView } from 'beamish/liveview'
 * export const Counter = liveView('doc-counter-view', {
 *   events: { add: { n: integer(1, 10) } },
 *   mount: (_params, _session, socket) => socket.assign({ count: 0 }),
 *   handleEvent: { add({ n }, socket) { socket.update('count', (count) => count + n) } },
 *   render: ({ count }) => html`<button phx-click="add" phx-value-n="1">${count}</button>`,
 * })
 * ```
 * @throws BEAMISH_BEHAVIOUR_DUPLICATE, BEAMISH_BAD_OPTION
 */
export function liveView<
  A extends object,
  const E extends EventSpecs = Record<never, never>,
  const T extends readonly Topic[] = readonly [],
>(name: string, spec: LiveViewSpec<E, T, A>): LiveView {
  if (views.has(name)) {
    throw new BeamishError('BEAMISH_BEHAVIOUR_DUPLICATE', { name: `"${name}"` })
  }
  const events = spec.events ?? ({} as E)
  const handlers = (spec.handleEvent ?? {}) as Readonly<Record<string, unknown>>
  for (const event of Object.keys(handlers)) {
    if (Object.hasOwn(events, event)) continue
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: `handleEvent.${event} of live view "${name}"`,
      got: 'not declared',
      fix: `add ${event} to events, with the fields of its payload ({} for none)`,
    })
  }
  const schemas = new Map<string, PayloadSchema<unknown>>()
  for (const [event, fields] of Object.entries(events)) {
    if (Object.hasOwn(handlers, event)) schemas.set(event, payloadSchema(fields))
  }
  const { hibernateAfterMs = HIBERNATE_AFTER_MS } = spec
  if (!(typeof hibernateAfterMs === 'number' && hibernateAfterMs > 0)) {
    throw new BeamishError('BEAMISH_BAD_OPTION', {
      option: `hibernateAfterMs of live view "${name}"`,
      got: String(hibernateAfterMs),
      fix: 'give a number of milliseconds above 0, or Infinity for never',
    })
  }
  const view: LiveView = { name, schemas, hibernateAfterMs, callbacks: spec as never }
  views.set(name, view)
  return view
}

export const findView = (name: string): LiveView | undefined => views.get(name)
