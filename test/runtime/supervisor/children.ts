// Children of the supervisor tests: they tell a witness what becomes of them.
import {
  type ExitReason,
  type From,
  genServer,
  ignore,
  noreply,
  type Pid,
  stop,
  supervisor,
} from 'beamish'

export interface ChildStart {
  readonly witness: Pid
  readonly id: string
  /** ignore, or fail with this reason. */
  readonly init?: { readonly ignore?: true; readonly fail?: ExitReason }
  /** Asks the process of this name whether to start: it answers ok, or a reason not to. */
  readonly ask?: string
  readonly terminateMs?: number
  /** Asks the process of this name before it is done with terminate. */
  readonly terminateAsks?: string
  readonly terminateThrows?: boolean
  readonly unlinks?: boolean
}

const worker = (name: string, trapExit: boolean) =>
  genServer(name, {
    trapExit,
    async init(start: ChildStart, self) {
      if (start.init?.ignore) return ignore()
      if (start.init?.fail !== undefined) return stop(start.init.fail)
      if (start.ask !== undefined) {
        const answer = (await self.call(start.ask, 'mayStart', start.id, {
          timeoutMs: 60_000,
        })) as string
        if (answer === 'ignore') return ignore()
        if (answer !== 'ok') return stop(answer)
      }
      self.send(start.witness, { type: 'up', id: start.id, pid: self.pid })
      if (start.unlinks) self.unlink(self.parent)
      return start
    },
    handleCall: {
      id: (state) => state.id,
      where: (_state, _: undefined, self) => self.scheduler,
      ask: (_state, _: undefined, self) => self.scheduler,
    },
    handleCast: {
      end: (_state, reason: ExitReason) => stop(reason),
    },
    async terminate(reason, state, self) {
      if (state.terminateMs !== undefined) await self.sleep(state.terminateMs)
      if (state.terminateAsks !== undefined) {
        await self.call(state.terminateAsks, 'mayStart', state.id, { timeoutMs: 60_000 })
      }
      self.send(state.witness, { type: 'down', id: state.id, reason })
      if (state.terminateThrows) throw new Error('in terminate')
    },
  })

/** Traps exits, so that its terminate tells when it is stopped. */
export const Child = worker('test.child', true)
/** Dies of any signal. */
export const Fragile = worker('test.fragile', false)

/**
 * Says whether children may start: ok by default, else what it was told for as many times. Told `hold` it says nothing, but
 * tells its parent who waits; `release` answers those.
 */
export const Gate = genServer('test.gate', {
  init: () => ({
    answers: [] as string[],
    asked: 0,
    always: undefined as string | undefined,
    held: [] as From[],
  }),
  handleCall: {
    mayStart(state, id: string, self, from): unknown {
      state.asked++
      const answer = state.always ?? state.answers.shift() ?? 'ok'
      if (answer !== 'hold') return answer
      state.held.push({ pid: from.pid, ref: from.ref })
      self.send(self.parent, { type: 'held', id })
      return noreply()
    },
    asked: (state) => state.asked,
    answers: (state, answers: string[]) => {
      state.answers = [...answers]
      state.always = undefined
      return 'set'
    },
    always: (state, answer: string) => {
      state.always = answer
      return 'set'
    },
    release: (state, answer: string, self) => {
      for (const from of state.held.splice(0)) self.reply(from, answer)
      return 'released'
    },
  },
})

export default supervisor({ children: [] })
