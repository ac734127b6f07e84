/**
 * The transport process: one per socket. It reads frames, routes them to channels, and writes what they answer. Each channel
 * is a process of its own; transport and channel monitor each other, so the crash of one channel is a phx_error to the client
 * and nothing to its neighbours. A join never blocks the transport: other topics and the heartbeat go on.
 *
 * Longer than 400 lines because the states of a topic, from join to end, are one machine.
 */
import {
  type ChildSpec,
  type DownMessage,
  Exit,
  type ExitReason,
  type Pid,
  type Placement,
  type Ref,
  type Self,
  type StartResult,
} from '../../runtime/index.ts'
import { logLine } from '../../runtime/log.ts'
import type { ConnectInfo, Join, Page, ToChannel, ToTransport } from '../wire/link.ts'
import type { DecodeLimits, Message } from '../wire/message.ts'
import type { FrameLane, TransportPort } from '../wire/port.ts'
import { type Frame, frameBytes, type Serializer } from '../wire/serializer.ts'
import { startOf } from './aside.ts'
import { Backlog, MAX_UNHANDLED } from './backlog.ts'
import type { SocketLimits } from './limits.ts'
import type { Overflow } from './outbox.ts'
import { type Rates, ratesOf } from './rates.ts'
import { matchRoute, type Route } from './routes.ts'
import { type Entry, type FrameWriter, type Joining, Topics } from './topics.ts'

/** How long a channel that is replaced by a new join may take to end. */
const REPLACE_TIMEOUT_MS = 5_000
/** How long one that was left has to take notice, before a new join ends it like one that was not. */
const LEAVE_GRACE_MS = 100

const TOO_FAST = { reason: 'too many events' }
const TOO_MUCH = { reason: 'too many bytes waiting' }

/** How long a join that is under way may take when the node stops. */
const DRAIN_JOIN_TIMEOUT_MS = 1_000

/** What the transport does to its socket. */
export interface TransportSocket {
  /**
   * `spare`: it may be left out where the client does not keep up, for a later one of its topic and event. False when that
   * client has to go.
   */
  write(frame: Frame, spare: boolean, topic: string, event: string): boolean
  /** Runs it when its client has taken nearly all that was written, or is gone; at once, if that is so. */
  whenDrained(act: () => void): void
  /** A channel of the topic has ended: spare frames that wait for room are not for the next one. */
  forget(topic: string): void
  close(code: number, reason: string): void
}

export interface TransportSettings {
  readonly routes: readonly Route[]
  readonly serializer: Serializer
  /** A frame that cannot be read ends the socket, as in Phoenix, instead of getting an error reply. */
  readonly strict: boolean
  readonly connect: ConnectInfo
  /** What its connect assigned: its channels start with it. */
  readonly assigns: Readonly<Record<string, unknown>>
  readonly limits: SocketLimits
  readonly decodeLimits: DecodeLimits
  readonly overflow: Overflow
  /** The dynamic supervisor of the channels. */
  readonly channels: Pid
  /** Where channels run: here, beside their socket, unless one thread accepts for all. */
  readonly place: Placement
}

export class Transport implements TransportPort, FrameWriter {
  readonly #self: Self
  readonly #socket: TransportSocket
  readonly #settings: TransportSettings
  readonly #serializer: Serializer
  readonly #rates: Rates | undefined
  readonly #topics: Topics
  readonly #backlog: Backlog
  #complained = false
  /** Size of the frame that is being handled: what its message weighs if it has to wait. */
  #frameBytes = 0
  #draining = false
  #closed = false
  /** When what it connected with is no longer good, once that is near. */
  #expiresAtMs: number | undefined

  constructor(self: Self, socket: TransportSocket, settings: TransportSettings) {
    this.#self = self
    this.#socket = socket
    this.#settings = settings
    this.#serializer = settings.serializer
    this.#topics = new Topics(this)
    this.#backlog = new Backlog(self, settings.limits.maxUnhandledBytes, this.#topics)
    this.#rates = ratesOf(settings.limits, self)
  }

  /** It has told its client to go and waits for its channels to end. */
  get draining(): boolean {
    return this.#draining
  }

  /** Frames of a join. */
  write(frame: Frame, spare = false, topic = '', event = ''): void {
    if (this.#socket.write(frame, spare, topic, event)) return
    logLine('warn', 'socket closed: its client does not read', () => ({
      maxQueueBytes: this.#settings.limits.maxQueueBytes,
    }))
    this.#socket.close(1013, 'too slow')
    // By way of its mailbox: the frame may come from a channel's turn.
    this.#self.send(this.#self.pid, { type: 'phx:end', reason: { shutdown: 'slow_client' } })
  }

  tooEarly(topic: string): void {
    this.#complain('too_early', `more frames than can wait for the join of "${topic}"`)
  }

  #reply(message: Joining, status: string, response: object, joinRef: string | null): void {
    const { ref, topic } = message
    this.write(this.#serializer.encodeReply(joinRef, ref, topic, status, response))
  }

  /** A frame from the client. Never throws for what a client can send, unless it is strict. */
  received(frame: Frame): void {
    this.#frameBytes = frameBytes(frame)
    const decoded = this.#serializer.decode(frame, this.#settings.decodeLimits)
    if (!decoded.ok) {
      this.#complain(decoded.error, decoded.reason)
      if (this.#settings.strict) throw new Exit({ malformedFrame: decoded.reason })
      const response =
        this.#rates?.events() === false
          ? TOO_FAST
          : { reason: 'malformed frame', detail: decoded.reason }
      this.write(this.#serializer.encodeReply(null, null, 'phoenix', 'error', response))
      return
    }
    const { message } = decoded
    const { topic, event } = message
    if (topic === 'phoenix') this.#control(message)
    else if (event === 'phx_join') this.#join(message)
    else if (event === 'phx_leave') this.#leave(message)
    else this.#event(message)
  }

  /** Once per socket: a client that sends rubbish must not fill the log. */
  #complain(code: string, reason: string): void {
    if (this.#complained) return
    this.#complained = true
    logLine(
      'warn',
      `client sent a bad frame (${code}): ${reason}; further ones of this socket are not logged`,
      () => ({
        remoteAddress: this.#settings.connect.remoteAddress,
      }),
    )
  }

  #control(message: Message): void {
    if (message.event === 'heartbeat') {
      if (this.#rates?.heartbeats() === false) this.#tooFast(message, null)
      else this.#reply(message, 'ok', {}, null)
    } else if (this.#rates?.events() === false) this.#tooFast(message, null)
    else {
      this.#complain('bad_event', 'an event on topic "phoenix" that is not heartbeat')
      this.#refuse(message, { reason: 'unknown event' })
    }
  }

  #tooFast(message: Message, joinRef = message.joinRef): void {
    const { maxEventsPerSecond } = this.#settings.limits
    this.#complain('too_fast', `more than ${maxEventsPerSecond} events a second`)
    this.#refuse(message, TOO_FAST, joinRef)
  }

  /** What would wait is more than its client may make this socket hold. */
  #tooMuch(message: Message): void {
    const { maxUnhandledBytes } = this.#settings.limits
    this.#complain('too_much', `more than ${maxUnhandledBytes} bytes wait to be handled`)
    this.#refuse(message, TOO_MUCH, message.joinRef)
  }

  #refuse(message: Joining, response: object, joinRef: string | null = null): void {
    this.#reply(message, 'error', response, joinRef)
  }

  #join(message: Message): void {
    if (this.#draining) return
    if (this.#rates?.joins() === false) {
      this.#complain(
        'too_fast',
        `more than ${this.#settings.limits.maxJoinsPerSecond} joins a second`,
      )
      this.#refuse(message, { reason: 'too many joins' }, message.joinRef)
      return
    }
    const bytes = this.#frameBytes
    if (!this.#backlog.fits(bytes)) {
      this.#tooMuch(message)
      return
    }
    const existing = this.#topics.of(message.topic)
    if (existing === undefined) this.#startJoin(message, bytes, undefined)
    else this.#replace(existing, message, bytes)
  }

  /** The topic is joined already: the old channel ends first, then the new one starts (Phoenix duplicate_join). */
  #replace(existing: Entry, message: Message, bytes: number): void {
    const { state, pid, next } = existing
    existing.next = { message, bytes }
    this.#backlog.hold(existing, bytes)
    existing.ending()
    if (next !== undefined) {
      this.#backlog.release(existing, next.bytes)
      this.#supersede(existing, next.message)
    } else if (state === 'ending') {
      // Its terminate has seen the leave, if it is not busy.
      this.#exitLater(pid, { shutdown: 'duplicate_join' }, LEAVE_GRACE_MS)
      this.#exitLater(pid, 'kill', REPLACE_TIMEOUT_MS)
    } else {
      if (state !== 'joined') this.#supersede(existing, existing.join)
      if (pid !== undefined) this.#end(pid, { shutdown: 'duplicate_join' })
    }
  }

  /** A join that a newer one overtook before it was answered: it and what waited for it get their answers. */
  #supersede(entry: Entry, join: Joining): void {
    this.#refuse(join, { reason: 'replaced by a newer join' }, join.joinRef)
    this.#answerWaiting(entry)
  }

  #end(pid: Pid, reason: ExitReason): void {
    this.#self.exit(pid, reason)
    this.#exitLater(pid, 'kill', REPLACE_TIMEOUT_MS)
  }

  #exitLater(pid: Pid | undefined, reason: ExitReason, afterMs: number): void {
    if (pid !== undefined) this.#self.sendAfter(afterMs, { type: 'phx:exit', pid, reason })
  }

  #startJoin(message: Message, bytes: number, replaced: Entry['replaced']): void {
    const { routes, limits, connect, assigns, channels } = this.#settings
    const { joinRef, ref, topic, payload } = message
    const route = matchRoute(routes, topic)
    if (route === undefined) {
      this.#complain(
        'unmatched',
        `a join of "${topic.slice(0, 100)}", to which no channel is routed`,
      )
      this.#refuse(message, { reason: 'unmatched topic' })
      return
    }
    if (this.#topics.size >= limits.maxChannels) {
      this.#complain('too_many', `more than ${limits.maxChannels} channels on one socket`)
      this.#refuse(message, { reason: 'too many channels joined' }, joinRef)
      return
    }
    const { event } = message
    const entry = this.#topics.add({ joinRef, ref, topic, event }, replaced)
    entry.joinBytes = bytes
    this.#backlog.hold(entry, bytes)
    const join: Join = {
      transport: this.#self.pid,
      id: entry.id,
      topic,
      joinRef,
      ref,
      payload,
      serializer: this.#serializer.name,
      connect,
      assigns: route.assigns === undefined ? assigns : { ...assigns, ...route.assigns },
    }
    const spec: ChildSpec = {
      id: topic,
      ...startOf(route.behaviour, join),
      name: undefined,
      restart: 'temporary',
      shutdown: route.shutdown ?? 5_000,
      type: 'worker',
      place: this.#settings.place,
    }
    entry.timer = this.#joinTimer(entry.id)
    // Not awaited here: the transport goes on, and hears of the outcome as of any other message.
    const started = this.#self.call(channels, 'startChild', spec, {
      timeoutMs: Number.POSITIVE_INFINITY,
    })
    started.then(
      (result) => this.#self.send(this.#self.pid, { type: 'phx:started', id: entry.id, result }),
      (error: unknown) =>
        this.#self.send(this.#self.pid, {
          type: 'phx:started',
          id: entry.id,
          result: { ok: false, reason: String(error) },
        }),
    )
  }

  #joinTimer(id: number): Ref | undefined {
    const { joinTimeoutMs } = this.#settings.limits
    if (joinTimeoutMs === Number.POSITIVE_INFINITY) return undefined
    return this.#self.sendAfter(joinTimeoutMs, { type: 'phx:late', id })
  }

  /** A join that was not answered in time: its channel has to go. */
  late(id: number): void {
    const entry = this.#topics.byId(id)
    if (entry === undefined) return
    if (this.#draining) {
      if (!unanswered(entry)) return
    } else if (entry.state !== 'starting' && entry.state !== 'joining') return
    else this.#complain('late_join', `a join of "${entry.topic}" was not answered in time`)
    entry.late = true
    if (entry.pid !== undefined) this.#self.exit(entry.pid, 'kill')
  }

  /** The channel process is there, or could not be made. */
  started(id: number, result: StartResult): void {
    const entry = this.#topics.byId(id)
    if (entry === undefined) return
    if (!result.ok) {
      logLine('error', `channel "${entry.topic}" could not be started`, () => ({
        reason: result.reason,
      }))
      this.#gone(entry)
      return
    }
    // Its answer to the join was faster.
    if (entry.pid !== undefined) return
    this.#watch(entry, result.pid)
    if (entry.late) this.#self.exit(result.pid, 'kill')
    else if (entry.state === 'ending') this.#end(result.pid, { shutdown: 'duplicate_join' })
    else if (entry.state === 'starting') entry.state = 'joining'
  }

  #watch(entry: Entry, pid: Pid): void {
    entry.pid = pid
    entry.monitor = this.#self.monitor(pid)
    if (this.#draining) this.#tellDraining(entry)
  }

  #tell(entry: Entry, message: ToChannel): void {
    if (entry.pid !== undefined) this.#self.send(entry.pid, message)
  }

  #leave(message: Message): void {
    const entry = this.#topics.of(message.topic)
    const within = this.#rates?.events() !== false
    if (entry === undefined) {
      if (within) this.#reply(message, 'ok', {}, message.joinRef)
      else this.#tooFast(message)
      return
    }
    // What is joined may be left at any rate. Nobody reads what was sent along: it must not be held.
    this.#leaveJoined(entry, { ...message, payload: undefined })
  }

  #leaveJoined(entry: Entry, message: Message): void {
    // A leave for an earlier join of this topic: the client has moved on.
    const current = entry.next?.message ?? entry.join
    if (message.joinRef !== null && message.joinRef !== current.joinRef) return
    if (entry.state === 'joined') {
      entry.ending()
      entry.leave = message
      this.#tell(entry, { type: 'phx:leave', ref: message.ref })
    } else if (entry.state !== 'ending' || entry.next !== undefined) this.#wait(entry, message, 0)
    else this.#reply(message, 'ok', {}, message.joinRef)
  }

  #event(message: Message): void {
    if (this.#rates?.events() === false) this.#tooFast(message)
    else this.#give(message, this.#frameBytes)
  }

  /** To its channel, now or when that has joined. */
  #give(message: Message, bytes: number): void {
    const entry = this.#topics.of(message.topic)
    if (entry === undefined || (entry.state === 'ending' && entry.next === undefined)) {
      this.#refuse(message, { reason: 'unmatched topic' })
      return
    }
    const current = entry.next?.message ?? entry.join
    if (message.joinRef !== null && message.joinRef !== current.joinRef) return
    if (entry.state === 'joined') {
      const { ref, event, payload } = message
      if (!this.#backlog.takes(entry)) {
        this.#complain('too_fast', `more than ${MAX_UNHANDLED} events wait for "${entry.topic}"`)
        this.#refuse(message, { reason: 'too many events waiting' }, message.joinRef)
        return
      }
      if (!this.#backlog.fits(bytes)) {
        this.#tooMuch(message)
        return
      }
      this.#backlog.gave(entry, bytes)
      this.#tell(entry, { type: 'phx:event', ref, event, payload })
    } else this.#wait(entry, message, bytes)
  }

  #wait(entry: Entry, message: Message, bytes: number): void {
    if (bytes > 0 && !this.#backlog.fits(bytes)) {
      this.#tooMuch(message)
      return
    }
    if (entry.wait({ message }, bytes)) {
      this.#backlog.hold(entry, bytes)
      return
    }
    this.#complain('too_early', `more events than can wait for the join of "${entry.topic}"`)
    this.#refuse(
      message,
      { reason: 'too many events before the join was answered' },
      message.joinRef,
    )
  }

  /** Its process has ended. */
  close(): void {
    this.#closed = true
  }

  /** Where a channel of this thread puts its frames. */
  lane(id: number): FrameLane | undefined {
    return this.#topics.byId(id)
  }

  /**
   * Frames of a channel that can wait, when there is room for them; `done` when they are written, or taken. They belong to its
   * join and go with it: `done` hears false.
   */
  page({ id, frames, more }: Page, done: (isTaken: boolean) => void): void {
    const entry = this.#topics.byId(id)
    if (entry?.putPage(frames) !== true) {
      done(false)
      return
    }
    this.#socket.whenDrained(() => {
      const page = entry.takePage()
      for (const frame of page ?? []) this.write(frame, false, entry.topic)
      if (page === undefined || !more) done(page !== undefined)
      else this.#socket.whenDrained(() => done(true))
    })
  }

  /** A message from one of the channels. */
  fromChannel(message: ToTransport): void {
    if (this.#closed) return
    if (message.type === 'phx:drain') {
      this.#drain()
      return
    }
    const entry = this.#topics.byId(message.id)
    if (entry === undefined) return
    if (message.type === 'phx:joined') this.#joined(entry, message)
    else if (message.type === 'phx:frame') entry.frame(message.frame, message.spare, message.event)
    else if (!entry.closed) {
      entry.close()
      // A replaced channel's phx_close follows the new join's reply.
      if (entry.next === undefined && entry.owesClose) {
        entry.owesClose = false
        this.#writeClose(entry.topic, entry.join.joinRef)
      }
    }
  }

  #joined(entry: Entry, { pid, ok, frame }: ToTransport & { type: 'phx:joined' }): void {
    if (entry.state === 'ending') return
    if (entry.pid === undefined) this.#watch(entry, pid)
    if (entry.timer !== undefined) this.#self.cancelTimer(entry.timer)
    this.#socket.forget(entry.topic)
    this.write(frame)
    this.#closeReplaced(entry)
    if (!ok) {
      entry.closed = true
      this.#answerWaiting(entry)
      this.#remove(entry)
      if (entry.monitor !== undefined) this.#self.demonitor(entry.monitor, { flush: true })
      this.#endIfDrained()
      return
    }
    entry.state = 'joined'
    entry.owesClose = true
    this.#tellExpiring(entry)
    this.#backlog.release(entry, entry.joinBytes)
    entry.drain((waiting, bytes) => {
      if ('frame' in waiting) {
        this.write(waiting.frame, waiting.spare, entry.topic, waiting.event)
        return
      }
      this.#backlog.release(entry, bytes)
      const { message } = waiting
      if (message.event === 'phx_leave') this.#leaveJoined(entry, message)
      else this.#give(message, bytes)
    })
  }

  /** There will be no channel for what waits: events are refused, a leave has nothing left to do. */
  #answerWaiting(entry: Entry): void {
    entry.drain((waiting, bytes) => {
      if ('frame' in waiting) return
      this.#backlog.release(entry, bytes)
      const { joinRef, event } = waiting.message
      if (event === 'phx_leave') this.#reply(waiting.message, 'ok', {}, joinRef)
      else this.#refuse(waiting.message, { reason: 'unmatched topic' })
    })
  }

  #closeReplaced(entry: Entry): void {
    const { replaced, topic } = entry
    entry.replaced = undefined
    if (replaced !== undefined) this.#writeClose(topic, replaced.joinRef)
  }

  #writeClose(topic: string, joinRef: string | null): void {
    this.write(this.#serializer.encodePush(joinRef, joinRef, topic, 'phx_close', {}))
  }

  /** A channel process has ended. */
  down(message: DownMessage): void {
    const entry = this.#topics.byMonitor(message.ref)
    if (entry !== undefined) this.#gone(entry)
  }

  #gone(entry: Entry): void {
    const { state, topic, join, next, timer, leave } = entry
    if (timer !== undefined) this.#self.cancelTimer(timer)
    this.#remove(entry)
    if (this.#draining) {
      this.#endIfDrained()
      return
    }
    // It never got to the leave: there is nothing left of it now.
    if (leave !== undefined && !entry.closed) this.#reply(leave, 'ok', {}, leave.joinRef)
    if (next !== undefined) {
      const replaced = entry.owesClose ? { joinRef: join.joinRef } : entry.replaced
      this.#startJoin(next.message, next.bytes, replaced)
      const started = this.#topics.of(topic)
      // What came for the new join while the old channel ended goes on with it.
      entry.drain((waiting, bytes) => {
        if ('message' in waiting && started !== undefined)
          this.#wait(started, waiting.message, bytes)
      })
      return
    }
    if (entry.closed) return
    if (state === 'starting' || state === 'joining') {
      const reason = entry.late ? 'join timeout' : 'join crashed'
      this.#refuse(join, { reason }, join.joinRef)
      this.#closeReplaced(entry)
      this.#answerWaiting(entry)
    } else this.#tellCrash(topic, join.joinRef)
  }

  #remove(entry: Entry): void {
    this.#topics.remove(entry)
    this.#backlog.forget(entry)
  }

  /** The client joins again. Both words of a channel's end carry the join's ref twice (Phoenix.Socket). */
  #tellCrash(topic: string, joinRef: string | null): void {
    const reason = { reason: 'channel_crash' }
    this.write(this.#serializer.encodePush(joinRef, joinRef, topic, 'phx_error', reason))
  }

  /** What it connected with is soon no longer good: whoever is joined hears of it, and whoever joins from here on. */
  expiring(expiresInMs: number): void {
    this.#expiresAtMs = this.#self.now() + expiresInMs
    for (const entry of this.#topics) if (entry.state === 'joined') this.#tellExpiring(entry)
  }

  #tellExpiring({ topic, join }: Entry): void {
    if (this.#expiresAtMs === undefined) return
    const payload = { expires_in_ms: Math.max(0, Math.round(this.#expiresAtMs - this.#self.now())) }
    this.write(this.#serializer.encodePush(join.joinRef, null, topic, 'token_expiring', payload))
  }

  /**
   * The node stops: the socket closes with 1012, on which the official client comes back, and every channel runs terminate
   * with { shutdown: 'draining' }. No phx_close: after one the client would never join again. A join that is under way has a
   * moment to be answered; then its channel is killed, as there is nobody to answer.
   */
  #drain(): void {
    if (this.#draining) return
    this.#draining = true
    this.#socket.close(1012, 'service restart')
    for (const entry of this.#topics) {
      this.#tellDraining(entry)
      if (unanswered(entry)) {
        this.#self.sendAfter(DRAIN_JOIN_TIMEOUT_MS, { type: 'phx:late', id: entry.id })
      }
    }
    this.#endIfDrained()
  }

  #tellDraining(entry: Entry): void {
    this.#tell(entry, { type: 'phx:stop', reason: { shutdown: 'draining' } })
  }

  #endIfDrained(): void {
    if (!this.#draining || this.#topics.size > 0) return
    // By way of its mailbox: a join may be answered from its channel's turn.
    this.#self.send(this.#self.pid, { type: 'phx:end', reason: { shutdown: 'draining' } })
  }
}

/** Its join was neither taken nor refused. */
const unanswered = ({ owesClose, closed }: Entry): boolean => !owesClose && !closed
