/**
 * The transport process: one per socket. It reads frames, routes them to channels, and writes what they answer. Each channel
 * is a process of its own; transport and channel monitor each other, so the crash of one channel is a phx_error to the client
 * and nothing to its neighbours. A join never blocks the transport: other topics and the heartbeat go on.
 *
 * Longer than 400 lines because the states of a topic, from join to end, are one machine.
 */
import type {
  ChildSpec,
  DownMessage,
  ExitReason,
  Pid,
  Placement,
  Self,
  StartResult,
} from '../../runtime/index.ts'
import { logLine } from '../../runtime/log.ts'
import { encodeClose, encodeCrash } from '../wire/endings.ts'
import type { ConnectInfo, Join, ToChannel, ToTransport } from '../wire/link.ts'
import type { Message } from '../wire/message.ts'
import { decode, encodeReply } from '../wire/serializerV2.ts'
import type { SocketLimits } from './limits.ts'
import { matchRoute, type Route } from './routes.ts'
import { type Entry, Topics } from './topics.ts'

/** Events a channel may have waiting; a client that sends faster than its handlers run gets error replies. */
const MAX_UNHANDLED = 1_000
/** How long a channel that is replaced by a new join may take to end. */
const REPLACE_TIMEOUT_MS = 5_000

/** What the transport does to its socket. */
export interface TransportSocket {
  /** False when the client does not keep up. */
  write(frame: string): boolean
  close(code: number, reason: string): void
}

export interface TransportSettings {
  readonly routes: readonly Route[]
  readonly connect: ConnectInfo
  readonly limits: SocketLimits
  /** The dynamic supervisor of the channels. */
  readonly channels: Pid
  /** Where channels run: here, beside their socket, unless one thread accepts for all. */
  readonly place: Placement
}

export class Transport {
  readonly #self: Self
  readonly #socket: TransportSocket
  readonly #settings: TransportSettings
  readonly #topics = new Topics()
  #complained = false
  /** Size of the frame that is being handled: what its message weighs if it has to wait. */
  #frameBytes = 0
  #draining = false

  constructor(self: Self, socket: TransportSocket, settings: TransportSettings) {
    this.#self = self
    this.#socket = socket
    this.#settings = settings
  }

  /** It has told its client to go and waits for its channels to end. */
  get draining(): boolean {
    return this.#draining
  }

  #write(frame: string): void {
    if (this.#socket.write(frame)) return
    logLine('warn', 'socket closed: its client does not read', () => ({
      maxQueueBytes: this.#settings.limits.maxQueueBytes,
    }))
    this.#socket.close(1013, 'too slow')
    this.#self.exit({ shutdown: 'slow_client' })
  }

  /** A text frame from the client. Never throws for what a client can send. */
  received(text: string): void {
    this.#frameBytes = text.length
    const decoded = decode(text)
    if (!decoded.ok) {
      this.#complain(decoded.error, decoded.reason)
      this.#write(
        encodeReply(null, null, 'phoenix', 'error', {
          reason: 'malformed frame',
          detail: decoded.reason,
        }),
      )
      return
    }
    const { message } = decoded
    const { topic, event } = message
    if (topic === 'phoenix') this.#control(message)
    else if (event === 'phx_join') this.#join(message)
    else if (event === 'phx_leave') this.#leave(message)
    else this.#event(message)
  }

  /** A binary frame: the binary half of the wire is not spoken yet. */
  receivedBinary(): void {
    this.#complain('bad_binary', 'binary frames are not supported')
    this.#write(
      encodeReply(null, null, 'phoenix', 'error', { reason: 'binary frames are not supported' }),
    )
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
      this.#write(encodeReply(null, message.ref, 'phoenix', 'ok', {}))
    } else {
      this.#complain('bad_event', 'an event on topic "phoenix" that is not heartbeat')
      this.#refuse(message, { reason: 'unknown event' })
    }
  }

  #refuse(message: Message, response: object, joinRef: string | null = null): void {
    this.#write(encodeReply(joinRef, message.ref, message.topic, 'error', response))
  }

  #join(message: Message): void {
    if (this.#draining) return
    const existing = this.#topics.of(message.topic)
    if (existing !== undefined) {
      this.#replace(existing, message)
      return
    }
    this.#startJoin(message, undefined)
  }

  /** The topic is joined already: the old channel ends first, then the new one starts (Phoenix duplicate_join). */
  #replace(existing: Entry, message: Message): void {
    const { state, pid, next } = existing
    existing.next = message
    existing.state = 'ending'
    if (next !== undefined) this.#supersede(existing, next)
    else if (state === 'ending') this.#killLater(pid)
    else {
      if (state !== 'joined') this.#supersede(existing, existing.join)
      if (pid !== undefined) this.#end(pid, { shutdown: 'duplicate_join' })
    }
  }

  /** A join that a newer one overtook before it was answered: it and what waited for it get their answers. */
  #supersede(entry: Entry, join: Message): void {
    this.#refuse(join, { reason: 'replaced by a newer join' }, join.joinRef)
    this.#answerWaiting(entry)
  }

  #end(pid: Pid, reason: ExitReason): void {
    this.#self.exit(pid, reason)
    this.#killLater(pid)
  }

  #killLater(pid: Pid | undefined): void {
    if (pid !== undefined) this.#self.sendAfter(REPLACE_TIMEOUT_MS, { type: 'phx:kill', pid })
  }

  #startJoin(message: Message, replaced: Entry['replaced']): void {
    const { routes, limits, connect, channels } = this.#settings
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
    const entry = this.#topics.add(message, replaced)
    const join: Join = {
      transport: this.#self.pid,
      id: entry.id,
      topic,
      joinRef,
      ref,
      payload,
      connect,
      options: route.options,
    }
    const spec: ChildSpec = {
      id: topic,
      behaviour: route.behaviour,
      argument: join,
      name: undefined,
      restart: 'temporary',
      shutdown: 5_000,
      type: 'worker',
      place: this.#settings.place,
    }
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
    if (this.#draining) this.#tell(entry, { type: 'phx:stop', reason: { shutdown: 'draining' } })
    else if (entry.state === 'ending') this.#end(result.pid, { shutdown: 'duplicate_join' })
    else if (entry.state === 'starting') entry.state = 'joining'
  }

  #watch(entry: Entry, pid: Pid): void {
    this.#topics.watch(entry, pid, this.#self.monitor(pid))
  }

  #tell(entry: Entry, message: ToChannel): void {
    if (entry.pid !== undefined) this.#self.send(entry.pid, message)
  }

  #leave(message: Message): void {
    const entry = this.#topics.of(message.topic)
    if (entry === undefined) {
      this.#write(encodeReply(message.joinRef, message.ref, message.topic, 'ok', {}))
      return
    }
    // A leave for an earlier join of this topic: the client has moved on.
    const current = entry.next ?? entry.join
    if (message.joinRef !== null && message.joinRef !== current.joinRef) return
    if (entry.state === 'joined') {
      entry.state = 'ending'
      this.#tell(entry, { type: 'phx:leave', ref: message.ref })
    } else if (entry.state !== 'ending' || entry.next !== undefined) this.#wait(entry, message)
    else this.#write(encodeReply(message.joinRef, message.ref, message.topic, 'ok', {}))
  }

  #event(message: Message): void {
    const entry = this.#topics.of(message.topic)
    if (entry === undefined || (entry.state === 'ending' && entry.next === undefined)) {
      this.#refuse(message, { reason: 'unmatched topic' })
      return
    }
    const current = entry.next ?? entry.join
    if (message.joinRef !== null && message.joinRef !== current.joinRef) return
    if (entry.state === 'joined') {
      const { ref, event, payload } = message
      if (entry.unhandled >= MAX_UNHANDLED) {
        this.#complain('too_fast', `more than ${MAX_UNHANDLED} events wait for "${entry.topic}"`)
        this.#refuse(message, { reason: 'too many events waiting' }, message.joinRef)
        return
      }
      entry.unhandled++
      this.#tell(entry, { type: 'phx:event', ref, event, payload })
    } else this.#wait(entry, message)
  }

  #wait(entry: Entry, message: Message): void {
    if (entry.waiting.push({ message }, this.#frameBytes)) return
    this.#complain('too_early', `more events than can wait for the join of "${entry.topic}"`)
    this.#refuse(
      message,
      { reason: 'too many events before the join was answered' },
      message.joinRef,
    )
  }

  /** A message from one of the channels. */
  fromChannel(message: ToTransport): void {
    if (message.type === 'phx:drain') {
      this.#drain()
      return
    }
    const entry = this.#topics.byId(message.id)
    if (entry === undefined) return
    if (message.type === 'phx:joined') this.#joined(entry, message)
    else if (message.type === 'phx:frame') this.frame(entry.id, message.frame)
    else if (message.type === 'phx:handled') entry.unhandled -= message.count
    else if (!entry.closed) {
      entry.closed = true
      // A replaced channel's phx_close follows the new join's reply.
      if (entry.next === undefined && entry.owesClose) {
        entry.owesClose = false
        this.#writeClose(entry.topic, entry.join.joinRef)
      }
    }
  }

  /** A frame for the client; one that is too early waits until the join is answered. */
  frame(id: number, frame: string): void {
    const entry = this.#topics.byId(id)
    if (entry === undefined) return
    if (entry.state === 'joined' || entry.state === 'ending') this.#write(frame)
    else if (!entry.waiting.push({ frame }, frame.length)) {
      this.#complain('too_early', `more frames than can wait for the join of "${entry.topic}"`)
    }
  }

  #joined(entry: Entry, { pid, ok, frame }: ToTransport & { type: 'phx:joined' }): void {
    if (entry.state === 'ending') return
    if (entry.pid === undefined) this.#watch(entry, pid)
    this.#write(frame)
    this.#closeReplaced(entry)
    if (!ok) {
      entry.closed = true
      this.#answerWaiting(entry)
      this.#topics.remove(entry)
      if (entry.monitor !== undefined) this.#self.demonitor(entry.monitor, { flush: true })
      return
    }
    entry.state = 'joined'
    entry.owesClose = true
    entry.waiting.drain((waiting) => {
      if ('frame' in waiting) this.#write(waiting.frame)
      else if (waiting.message.event === 'phx_leave') this.#leave(waiting.message)
      else this.#event(waiting.message)
    })
  }

  /** There will be no channel for what waits: events are refused, a leave has nothing left to do. */
  #answerWaiting(entry: Entry): void {
    entry.waiting.drain((waiting) => {
      if ('frame' in waiting) return
      const { joinRef, ref, topic, event } = waiting.message
      if (event === 'phx_leave') this.#write(encodeReply(joinRef, ref, topic, 'ok', {}))
      else this.#refuse(waiting.message, { reason: 'unmatched topic' })
    })
  }

  #closeReplaced(entry: Entry): void {
    const { replaced, topic } = entry
    entry.replaced = undefined
    if (replaced !== undefined) this.#writeClose(topic, replaced.joinRef)
  }

  #writeClose(topic: string, joinRef: string | null): void {
    this.#write(encodeClose(joinRef, topic))
  }

  /** A channel process has ended. */
  down(message: DownMessage): void {
    const entry = this.#topics.byMonitor(message.ref)
    if (entry !== undefined) this.#gone(entry)
  }

  #gone(entry: Entry): void {
    const { state, topic, join, next } = entry
    this.#topics.remove(entry)
    if (this.#draining) {
      if (this.#topics.size === 0) this.#self.exit({ shutdown: 'draining' })
      return
    }
    if (next !== undefined) {
      this.#startJoin(next, entry.owesClose ? { joinRef: join.joinRef } : entry.replaced)
      const started = this.#topics.of(topic)
      // What came for the new join while the old channel ended goes on with it.
      entry.waiting.drain((waiting) => {
        if ('message' in waiting && started !== undefined) this.#wait(started, waiting.message)
      })
      return
    }
    if (entry.closed) return
    if (state === 'starting' || state === 'joining') {
      this.#refuse(join, { reason: 'join crashed' }, join.joinRef)
      this.#closeReplaced(entry)
      this.#answerWaiting(entry)
    } else this.#write(encodeCrash(join.joinRef, topic))
  }

  /**
   * The node stops: the socket closes with 1012, on which the official client comes back, and every channel runs terminate
   * with { shutdown: 'draining' }. No phx_close: after one the client would never join again.
   */
  #drain(): void {
    if (this.#draining) return
    this.#draining = true
    this.#socket.close(1012, 'service restart')
    for (const entry of this.#topics) {
      this.#tell(entry, { type: 'phx:stop', reason: { shutdown: 'draining' } })
    }
    if (this.#topics.size === 0) this.#self.exit({ shutdown: 'draining' })
  }
}
