/**
 * A channel as a process: one per client and joined topic. It joins, handles what its client and others send, and tells its
 * transport how it ends.
 */
import { plain, reasonOf } from '../../runtime/exit/reason.ts'
import type { ExitReason, Self } from '../../runtime/index.ts'
import type { Behaviour, CodeChange, StatusReport } from '../../runtime/process/behaviour.ts'
import type { Flags } from '../../runtime/process/flags.ts'
import {
  BroadcastMessage,
  CallMessage,
  CastMessage,
  DownMessage,
  ExitMessage,
  StopMessage,
} from '../../runtime/process/messages.ts'
import { type Process, Status } from '../../runtime/process/process.ts'
import { messageCame } from '../../runtime/process/waiting.ts'
import { isThenable } from '../../runtime/scheduler/thenable.ts'
import { CatchUp, ReplayFailed } from '../history/catchUp.ts'
import { withHistory } from '../history/keeper.ts'
import { positionIn } from '../history/position.ts'
import { validate } from '../payload/index.ts'
import { ChannelLink, isSpare, type Join, type JoinsAside, type ToChannel } from '../wire/link.ts'
import type { Payload } from '../wire/serializer.ts'
import { lacks } from '../wire/textOnly.ts'
import { after, badReturn, noHandler } from './answers.ts'
import { frameOf } from './broadcast.ts'
import type { ChannelDefinition } from './channel.ts'
import { endWith, orphanMs } from './orphan.ts'
import { broadcastFromOutside } from './outside.ts'
import {
  dropped,
  type EventRefusal,
  handledEvent,
  handlingFrom,
  joinedTopic,
  undeliverable,
} from './report.ts'
import { ChannelReply, Joined } from './results.ts'
import { answered, applied, called } from './returns.ts'
import { ChannelSocket } from './socket.ts'
import { assignsOf, type State } from './state.ts'
import { channelStatus } from './status.ts'
import { stop } from './stop.ts'

type Callback = (...args: readonly unknown[]) => unknown

const own = (handlers: Readonly<Record<string, Callback>> | undefined, name: string) =>
  handlers !== undefined && Object.hasOwn(handlers, name) ? handlers[name] : undefined

export class ChannelBehaviour implements Behaviour, JoinsAside {
  readonly joinsAside = true
  readonly delivery = 'handle'
  readonly containStrays = true
  readonly data = assignsOf
  readonly name: string
  readonly trapExit: boolean
  readonly flags: Flags | undefined
  readonly definition: ChannelDefinition

  constructor(definition: ChannelDefinition) {
    this.name = definition.name
    this.trapExit = definition.trapExit
    this.flags = definition.flags
    this.definition = definition
  }

  broadcast(self: Self, topic: string, event: string, payload?: Payload): void {
    broadcastFromOutside(this.definition, self, topic, event, payload)
  }

  /** A code change puts another behaviour of this name in force; its callbacks are those of all its processes. */
  #callbacks(process: Process): ChannelDefinition['callbacks'] {
    return (process.behaviour as ChannelBehaviour).definition.callbacks
  }

  describe(process: Process): string | undefined {
    const state = process.state as State | undefined
    return state === undefined ? undefined : `channel ${this.name}`
  }

  inspectState(process: Process): unknown {
    return (process.state as State | undefined)?.socket.assigns
  }

  formatStatus(status: StatusReport): StatusReport {
    return channelStatus(this.definition, status)
  }

  codeChange(assigns: unknown, change: CodeChange): unknown {
    const { codeChange } = this.definition.callbacks
    return codeChange === undefined ? assigns : codeChange(assigns, change)
  }

  start(process: Process, argument: unknown): unknown {
    const join = argument as Join
    const { self } = process
    const link = new ChannelLink(self, join)
    const socket = new ChannelSocket(self, link)
    process.state = { link, socket } satisfies State
    endWith(process, join.transport, orphanMs(this.definition))
    // Its supervisor waits for the process, not for what join awaits.
    process.ready()
    const startedMs = self.now()
    const { params, callbacks } = this.definition
    let { payload } = join
    if (params !== undefined) {
      const checked = validate(params, payload)
      if (!checked.ok) {
        link.joined('error', { reason: 'invalid payload', issues: checked.issues })
        joinedTopic(this.definition, process, join, false, self.now() - startedMs)
        process.scheduler.exit(process, 'shutdown')
        return undefined
      }
      payload = checked.value
    }
    process.scheduler.journal.notes('join')
    const result = callbacks.join(join.topic, payload, socket)
    return after(result, (value) => this.#joined(process, value, startedMs))
  }

  #joined(process: Process, result: unknown, startedMs: number): unknown {
    if (process.status === Status.Dead) return undefined
    const { link, socket } = process.state as State
    const took = process.self.now() - startedMs
    if (result instanceof ChannelReply) {
      if (result.status !== 'error') throw badReturn('join', result)
      const { join } = link
      link.joined('error', result.payload)
      joinedTopic(this.definition, process, join, false, took)
      process.scheduler.exit(process, 'shutdown')
      return undefined
    }
    if (result !== socket && !(result instanceof Joined)) throw badReturn('join', result)
    const { pubsub } = process.scheduler
    const { topic, payload } = link.join
    const { history } = this.definition
    const response = result instanceof Joined ? result.payload : {}
    // Before the answer: what is broadcast from here on is not missed, and waits at the transport until the answer is written.
    if (history === undefined) {
      pubsub.subscribe(process, topic, this.#laneOf(process))
      this.#join(process, response, took)
      return undefined
    }
    if (response instanceof Uint8Array) throw badReturn('join', result)
    const catchUp = new CatchUp(process.self, topic, history, this.#laneOf(process))
    pubsub.subscribe(process, topic, catchUp.lane)
    return catchUp.run(positionIn(payload), {
      joined: (told) => this.#join(process, withHistory(topic, response, told), took),
      replay: (messages, more) => link.replay(messages, more),
      failed: (thrown) => process.scheduler.deliver(process, new ReplayFailed(thrown)),
    })
  }

  /** Answers it. */
  #join(process: Process, response: Payload, took: number): void {
    const { link, socket } = process.state as State
    const { join } = link
    socket.hasJoined()
    link.joined('ok', response)
    joinedTopic(this.definition, process, join, true, took)
    process.scheduler.sleepers.watch(process, this.definition.hibernateAfterMs)
  }

  /** Keeps the process alone. */
  #laneOf(process: Process): (message: BroadcastMessage) => void {
    return (message) => this.#lane(process, message)
  }

  /** The fast lane of broadcasts on its own topic: to the client, without a turn of this process. */
  #lane(process: Process, message: BroadcastMessage): void {
    const { definition } = process.behaviour as ChannelBehaviour
    if (definition.intercepts.has(message.event)) {
      process.scheduler.deliver(process, message)
      return
    }
    const { link } = process.state as State
    if (lacks(link.serializer, message.payload)) {
      link.leftOut()
      return
    }
    try {
      // What is kept may not be left out: its client would go on from a later position, and never ask for it.
      const spare = isSpare(message.event) && definition.history?.events.has(message.event) !== true
      link.frame(frameOf(message, link.serializer), spare, message.event)
    } catch (thrown) {
      // The mistake is the broadcaster's, who is not here; the other subscribers must get theirs.
      undeliverable(message, thrown)
    }
  }

  handle(process: Process, message: unknown): unknown {
    if (process.waiting !== undefined) messageCame(process)
    const state = process.state as State
    const callbacks = this.#callbacks(process)
    if (message instanceof BroadcastMessage) return this.#broadcast(process, state, message)
    if (message instanceof CallMessage) {
      const handler = own(callbacks.handleCall, message.event)
      if (handler === undefined) throw noHandler('handleCall', message.event)
      const result = handler.call(callbacks.handleCall, message.payload, state.socket, message)
      return after(result, (value) => called(process, state, message, value))
    }
    if (message instanceof CastMessage) {
      const handler = own(callbacks.handleCast, message.event)
      if (handler === undefined) throw noHandler('handleCast', message.event)
      const result = handler.call(callbacks.handleCast, message.payload, state.socket)
      return after(result, (value) => applied(process, state, 'handleCast', value))
    }
    if (message instanceof DownMessage && message.object === state.link.join.transport) {
      const reason: ExitReason =
        message.reason === 'normal' ? { shutdown: 'closed' } : message.reason
      return stop(process, state, reason)
    }
    if (message instanceof StopMessage) return stop(process, state, message.reason)
    if (message instanceof ReplayFailed) throw message.thrown
    if (message instanceof ExitMessage && this.#isOrder(process, state, message)) {
      // No word to the client: it comes back when its place was only cleared.
      return stop(process, state, message.reason, { tells: false })
    }
    const known = message as ToChannel
    switch (typeof message === 'object' && message !== null ? known.type : undefined) {
      case 'phx:event':
        return this.#event(process, state, known as ToChannel & { type: 'phx:event' })
      case 'phx:leave':
        state.link.reply((known as { ref: string | null }).ref, 'ok', {})
        return stop(process, state, { shutdown: 'left' })
      case 'phx:stop':
        return stop(process, state, (known as { reason: ExitReason }).reason, {
          tells: false,
        })
      default:
        return this.#other(process, state, message)
    }
  }

  /** Its supervisor's shutdown, or its transport's: a new join of the topic takes its place. */
  #isOrder(process: Process, state: State, { from }: ExitMessage): boolean {
    return from === process.parent || from === state.link.join.transport
  }

  #broadcast(process: Process, state: State, message: BroadcastMessage): unknown {
    const { callbacks, topics } = (process.behaviour as ChannelBehaviour).definition
    if (message.topic === state.link.join.topic) {
      const handler = own(callbacks.handleOut, message.event)
      if (handler !== undefined) {
        const result = handler.call(callbacks.handleOut, message.payload, state.socket)
        return after(result, (value) => applied(process, state, 'handleOut', value))
      }
    }
    const handler = topics.has(message.topic) ? own(callbacks.handleInfo, message.event) : undefined
    if (handler === undefined) return this.#other(process, state, message)
    const result = handler.call(callbacks.handleInfo, message.payload, state.socket, message)
    return after(result, (value) => applied(process, state, 'handleInfo', value))
  }

  #other(process: Process, state: State, message: unknown): unknown {
    const { definition } = process.behaviour as ChannelBehaviour
    const { callbacks } = definition
    if (callbacks.handleMessage === undefined) {
      dropped(definition, message)
      return undefined
    }
    const result = callbacks.handleMessage(message, state.socket)
    return after(result, (value) => applied(process, state, 'handleMessage', value))
  }

  #event(process: Process, state: State, push: ToChannel & { type: 'phx:event' }): unknown {
    const { ref, event } = push
    const { socket } = state
    const { definition } = process.behaviour as ChannelBehaviour
    const { handleIn } = definition.callbacks
    const every = typeof handleIn === 'function' ? handleIn : undefined
    const handler = every ?? own(handleIn as Readonly<Record<string, Callback>>, event)
    if (handler === undefined) {
      if (definition.strict) throw noHandler('handleIn', event)
      return this.#refuse(process, state, push, 'unknown event')
    }
    let { payload } = push
    const schema = definition.schemas.get(event)
    if (schema !== undefined) {
      const checked = validate(schema, payload)
      if (!checked.ok) {
        return this.#refuse(process, state, push, 'invalid payload', { issues: checked.issues })
      }
      payload = checked.value
    }
    process.scheduler.journal.notes(event)
    const fromMs = handlingFrom(definition, process)
    socket.handles(ref)
    const result =
      every === undefined
        ? handler.call(handleIn, payload, socket)
        : handler.call(definition.callbacks, event, payload, socket)
    if (isThenable(result)) {
      return result.then((value) => this.#handledIn(process, state, push, fromMs, value))
    }
    return this.#handledIn(process, state, push, fromMs, result)
  }

  /** It reaches no handler, and its client hears why. */
  #refuse(
    process: Process,
    { link }: State,
    { ref, event, payload }: ToChannel & { type: 'phx:event' },
    reason: EventRefusal,
    detail: object = {},
  ): undefined {
    const { definition } = process.behaviour as ChannelBehaviour
    link.reply(ref, 'error', { reason, ...detail })
    const fromMs = handlingFrom(definition, process)
    handledEvent(definition, process, link.join, event, payload, fromMs, reason)
    return undefined
  }

  #handledIn(
    process: Process,
    state: State,
    { ref, event, payload }: ToChannel & { type: 'phx:event' },
    fromMs: number,
    value: unknown,
  ): unknown {
    if (process.status === Status.Dead) return undefined
    const { definition } = process.behaviour as ChannelBehaviour
    handledEvent(definition, process, state.link.join, event, payload, fromMs)
    const next = answered(process, state, ref, value)
    state.socket.handles(null)
    return next
  }

  crashed(process: Process, thrown: unknown, message: unknown): unknown {
    const reason = plain(reasonOf(thrown))
    const state = process.state as State | undefined
    if (state === undefined || !state.socket.joined) {
      // Nothing of it has begun: its client hears that the join crashed, and terminate has nothing to end.
      process.scheduler.report(process, reason, undefined)
      process.scheduler.exit(process, reason)
      return undefined
    }
    return stop(process, state, reason, { message })
  }
}
