// Servers the GenServer tests run on any thread: what they do is told by their messages, what they did goes to a witness.
import {
  continueWith,
  Exit,
  type ExitMessage,
  type ExitReason,
  type From,
  genServer,
  ignore,
  noreply,
  type Pid,
  process,
  reply,
  type Self,
  stop,
  stopWithReply,
  supervisor,
} from 'beamish'

export interface Start {
  readonly witness: Pid
  readonly init?: 'ignore' | 'stop' | 'throw' | 'exit' | 'reply' | 'continue' | 'slow'
  readonly reason?: ExitReason
}

interface State {
  readonly witness: Pid
  readonly log: unknown[]
  count: number
  from: From | undefined
}

function begin({ witness, init, reason = 'because' }: Start, self: Self) {
  const state: State = { witness, log: [], count: 0, from: undefined }
  switch (init) {
    case 'ignore':
      return ignore()
    case 'stop':
      return stop(reason)
    case 'throw':
      throw new TypeError('no init')
    case 'exit':
      throw new Exit(reason)
    case 'reply':
      return reply(1) as never
    case 'continue':
      self.send(self.pid, 'note')
      return continueWith('more', state)
    case 'slow':
      return self.sleep(60_000).then(() => state)
    default:
      return state
  }
}

const misbehave = (how: string): never => {
  if (how === 'throw') throw new TypeError('no good')
  if (how === 'exit') throw new Exit('left')
  if (how === 'reply') throw reply('thrown')
  throw how
}

const handlers = {
  init: begin,
  handleCall: {
    where: (_state: State, _: undefined, self: Self) => self.scheduler,
    log: (state: State) => state.log,
    count: (state: State) => state.count,
    echo: (_state: State, value: unknown) => value,
    undefinedReply: () => undefined,
    misbehave: (state: State, how: string) => {
      state.count = 99
      return misbehave(how)
    },
    misbehaveLater: async (_state: State, how: string, self: Self) => {
      await self.sleep(1)
      return misbehave(how)
    },
    bad: () => ignore() as unknown as number,
    never: () => noreply(),
    hold: (state: State, _: undefined, _self: Self, from: From) => {
      state.from = from
      return noreply()
    },
    handOut: (_state: State, to: Pid, self: Self, from: From) => {
      self.send(to, { type: 'from', from: { pid: from.pid, ref: from.ref } })
      return noreply()
    },
    early: (_state: State, value: string, self: Self, from: From) => {
      self.reply(from, value)
      self.reply(from, 'twice')
      return noreply()
    },
    replyContinue: (state: State, step: string) => reply('replied', state, { continue: step }),
    replyTimeout: (state: State, timeoutMs: number) => reply('waiting', state, { timeoutMs }),
    newState: (state: State, count: number) => reply(count, { ...state, count }),
    stop: (_state: State, reason: ExitReason) => stop(reason),
    stopWithReply: (_state: State, reason: ExitReason) => stopWithReply(reason, 'bye'),
    slow: async (_state: State, ms: number, self: Self) => {
      await self.sleep(ms)
      return 'late'
    },
  },
  handleCast: {
    note: (state: State, value: unknown) => {
      state.log.push(value)
    },
    release: (state: State, value: unknown, self: Self) => {
      if (state.from !== undefined) self.reply(state.from, value)
    },
    bad: () => 42 as unknown as undefined,
    stop: (_state: State, reason: ExitReason) => stop(reason),
    misbehave: (_state: State, how: string) => misbehave(how),
    link: (_state: State, pid: Pid, self: Self) => self.link(pid),
  },
  handleInfo: {
    note: (state: State) => {
      state.log.push('note')
    },
    timeout: (state: State) => {
      state.log.push('timeout')
      return noreply(state)
    },
    EXIT: (state: State, message: ExitMessage) => {
      state.log.push(['EXIT', message.reason])
    },
    stop: (_state: State) => stop('asked'),
    bad: () => reply(1) as unknown as undefined,
  },
  handleContinue: (state: State, step: unknown) => {
    state.log.push(`continue ${step}`)
  },
  terminate: (reason: ExitReason, state: State, self: Self) => {
    self.send(state.witness, { type: 'terminated', reason, pid: self.pid })
    if (reason === 'terminate throws') throw new Exit('thrown by terminate')
  },
}

/** Does not trap exits. */
export const Plain = genServer('test.plain', handlers)
/** Traps exits. */
export const Trapping = genServer('test.trapping', { ...handlers, trapExit: true })
/** Nothing but a state. */
export const Bare = genServer('test.bare', { init: (): number => 1 })
/** All messages in one function. */
export const Catching = genServer('test.catching', {
  init: (): { log: unknown[] } => ({ log: [] }),
  handleCall: { log: (state) => state.log },
  handleInfo: (state, message) => {
    state.log.push(message)
  },
})

/** Answers another's caller. */
export const Answerer = process<{ from: From; value: unknown }>('test.answerer', (self, to) => {
  self.reply(to.from, to.value)
})

export default supervisor({ children: [] })
