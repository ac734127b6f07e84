/**
 * A session of long polling as a process: the same transport as behind a WebSocket, and what it says waits for the client's
 * next poll. Requests reach it by pid, from whichever thread they land on.
 */

import type { NoReply, Stop } from '../../runtime/genServer/results.ts'
import {
  continueWith,
  type ExitReason,
  type From,
  genServer,
  noreply,
  type Ref,
  type Self,
  stop,
} from '../../runtime/index.ts'
import { localNode } from '../../runtime/node/local.ts'
import { type Connecting, Handover } from '../transport/connecting.ts'
import { type Deciding, decide, decided } from '../transport/decide.ts'
import { expiryOf } from '../transport/expiry.ts'
import { type Connection, expired, received, type TransportMessage } from '../transport/inbox.ts'
import { Outbox } from '../transport/outbox.ts'
import { overflowReport } from '../transport/overflow.ts'
import { statusOfTransport } from '../transport/report.ts'
import { Transport } from '../transport/transport.ts'
import type { Page } from '../wire/link.ts'
import { openPort } from '../wire/port.ts'
import type { Frame } from '../wire/serializer.ts'
import { PollBuffer } from './pollBuffer.ts'
import { TextFrames } from './textFrames.ts'

export interface ConnectingSession extends Connecting {
  /** How long a poll is kept waiting, in milliseconds. */
  readonly windowMs: number
  /** What connect decided, if it did not let it in. */
  refuse(status: number, reason: string): void
}

export const connectingSessions: Handover<ConnectingSession> = new Handover()

/** Windows without a poll after which nobody is expected any more. */
export const INACTIVE_WINDOWS = 1.5

interface Poll {
  readonly id: string
  readonly from: From
  /** Rings when it has waited for a window. */
  readonly timer: Ref
}

interface Open extends Connection {
  readonly outbox: Outbox
  readonly buffer: PollBuffer<Poll>
  readonly windowMs: number
  /** When a poll was last open. */
  polledMs: number
}

interface Undecided {
  readonly transport: undefined
  readonly deciding: Deciding<ConnectingSession>
  /** Whoever asked whether it is open. */
  readonly askers: From[]
}

/** It has a transport once connect has let it in. */
type State = Undecided | Open

type Told =
  | { readonly type: 'lp:window'; readonly id: string }
  | { readonly type: 'lp:idle' }
  | { readonly type: 'phx:expiry' }
  | TransportMessage

export const Session = genServer('beamish.longPoll', {
  trapExit: true,
  // Its transport is no data.
  hibernateAfterMs: Number.POSITIVE_INFINITY,
  formatStatus: statusOfTransport,
  /** Its supervisor does not wait for what connect does. */
  init: (ticket: number) => continueWith(ticket, undefined as unknown as State),
  handleContinue(_none, ticket, self): NoReply<State> | Stop {
    const connecting = connectingSessions.take(ticket as number)
    if (connecting === undefined) return stop('normal')
    const deciding = decide(connecting, 'longpoll', self)
    return noreply({ transport: undefined, deciding, askers: [] })
  },
  // Nobody polls, writes or hangs up before its token is given out, and that is when it is open.
  handleCall: {
    /** Answered once it is open. */
    opened(state, _none, _self, from) {
      if (state.transport !== undefined) return true
      state.askers.push(from)
      return noreply()
    },
    /** A PollAnswer, at once or when there is something. */
    poll(state, id: string, self, { pid, ref }) {
      if (state.transport === undefined) return { status: 410, messages: [] }
      const timer = self.sendAfter(state.windowMs, { type: 'lp:window', id })
      state.buffer.poll({ id, from: { pid, ref }, timer })
      return noreply()
    },
    page(state, page: Page, self, { pid, ref }) {
      state.transport?.page(page, (isTaken) => self.reply({ pid, ref }, isTaken))
      return noreply()
    },
    /** What the client sends, in order. */
    publish(state, frames: readonly Frame[]) {
      if (state.transport === undefined) return false
      for (const frame of frames) state.transport.received(frame)
      return true
    },
  },
  handleCast: {
    /** The client of that poll is gone. */
    hangUp: (state, id: string) =>
      state.transport === undefined ? undefined : state.buffer.expire(id),
    end: (_state, reason: ExitReason) => stop(reason),
  },
  handleInfo(state, told, self) {
    const message = told as Told
    if (state.transport === undefined) return connected(state, message, self)
    switch (message.type) {
      case 'lp:window':
        return state.buffer.expire(message.id)
      case 'lp:idle':
        return idle(state, self)
      case 'phx:expiry':
        return expired(state, self) ? stop({ shutdown: 'expired' }) : undefined
      default:
        return received(state, message, self)
    }
  },
  terminate(_reason, state: State | undefined) {
    if (state?.transport !== undefined) state.outbox.close(GOING_AWAY, '')
  },
})

/** The outbox says goodbye with a code; a client that polls never hears it. */
const GOING_AWAY = 1001

/** Goes on when it is decided. */
function connected(
  { deciding, askers }: Undecided,
  message: Told,
  self: Self,
): NoReply<State> | Stop | undefined {
  const opening = decided(deciding, message, self)
  if (opening === undefined) return undefined
  if (opening === 'gone') return stop('normal')
  const { connecting } = deciding
  if (!opening.ok) {
    connecting.refuse(opening.status, opening.reason)
    return stop('normal')
  }
  const state = open(connecting, opening, self)
  for (const asker of askers) self.reply(asker, true)
  return noreply(state)
}

interface Opened {
  readonly assigns: Readonly<Record<string, unknown>>
  readonly id: string | undefined
  readonly expiresAtMs: number
}

function open({ settings, windowMs }: ConnectingSession, opened: Opened, self: Self): Open {
  const { scheduler } = localNode(self)
  const { overflow, limits } = settings
  const buffer = new PollBuffer<Poll>((poll, answer) => {
    state.polledMs = self.now()
    self.cancelTimer(poll.timer)
    self.reply(poll.from, answer)
  })
  const text = new TextFrames(settings.serializer)
  const report = overflow === 'close' ? undefined : overflowReport(self, settings)
  const outbox = new Outbox(buffer, limits.maxQueueBytes, scheduler, overflow, report?.leftOut)
  const transport = new Transport(
    self,
    {
      write: (frame, spare, topic, event) => {
        const written = text.textOf(frame)
        return written === undefined || outbox.write(written, spare, topic, event)
      },
      whenDrained: (act) => outbox.whenDrained(act),
      forget: (topic) => outbox.forget(topic),
      // There is no word for why: the next poll finds no session.
      close: (code, reason) => outbox.close(code, reason),
    },
    { ...settings, assigns: opened.assigns },
  )
  const state: Open = {
    transport,
    outbox,
    buffer,
    windowMs,
    id: opened.id,
    expiry: expiryOf(opened, self),
    polledMs: self.now(),
  }
  const closePort = openPort(self, transport)
  self.signal.addEventListener('abort', () => {
    closePort()
    transport.close()
    report?.end(outbox)
    outbox.drop()
  })
  if (opened.id !== undefined) self.subscribe(opened.id)
  idle(state, self)
  if (opened.expiresAtMs !== Number.POSITIVE_INFINITY) self.send(self.pid, { type: 'phx:expiry' })
  return state
}

function idle({ buffer, windowMs, polledMs }: Open, self: Self): Stop | undefined {
  const limitMs = windowMs * INACTIVE_WINDOWS
  const left = buffer.polled ? limitMs : polledMs + limitMs - self.now()
  if (left <= 0) return stop({ shutdown: 'inactive' })
  self.sendAfter(Math.ceil(left), { type: 'lp:idle' })
  return undefined
}
