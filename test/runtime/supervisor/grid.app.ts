/** The app of the supervisor grid: children that fail in every phase, and one witness of all they and their supervisors do. */
import {
  type ExitReason,
  type From,
  formatReason,
  genServer,
  noreply,
  onEvent,
  type Pid,
  stop,
  supervisor,
} from 'beamish'
import { hash32 } from '../../../runtime/scheduler/hash.ts'

export const FAULTS = [
  'init',
  'call',
  'cast',
  'info',
  'continue',
  'terminate',
  'exit signal',
  'thread loss',
] as const
export type Fault = (typeof FAULTS)[number]

export interface GridChild {
  readonly cell: string
  readonly id: string
  /** Absent in those that are to stay well. */
  readonly fault?: Fault
}

interface Waiting {
  readonly cell: string
  readonly count: number
  readonly from: From
}

/** A key of one of the two threads. */
export function keyOfSlot(slot: number): string {
  for (let i = 0; ; i++) if (1 + (hash32(`key ${i}`) % 2) === slot) return `key ${i}`
}

const WITNESS = 'grid.witness'

/** A reason as the witness notes it: errors by their message, lost threads without their number. */
const short = (reason: ExitReason): string =>
  formatReason(reason)
    .replace(/^Error: /, '')
    .replace(/^noconnection.*/, 'noconnection')

/**
 * Notes in one order what happens on all threads: children call it, so that nothing goes on before it is noted. It lives
 * where the supervisors of the grid live, and hears their reports.
 */
export const Witness = genServer(WITNESS, {
  init(_: undefined, self) {
    const cells = new Map<string, string[]>()
    const waiting: Waiting[] = []
    const gone = new Map<number, From>()
    const refusals = new Map<string, number>()
    const lines = (cell: string): string[] => {
      if (!cells.has(cell)) cells.set(cell, [])
      return cells.get(cell) as string[]
    }
    const note = (cell: string, line: string): void => {
      lines(cell).push(line)
      for (const one of waiting.filter((w) => w.cell === cell && lines(cell).length >= w.count)) {
        waiting.splice(waiting.indexOf(one), 1)
        self.reply(one.from, 'there')
      }
    }
    onEvent('supervisor', ({ supervisor, context, child, reason }) => {
      note(supervisor.replace(/^outer /, ''), `${context} ${child}: ${short(reason)}`)
    })
    return { lines, note, waiting, gone, refusals }
  },
  handleCall: {
    up(state, { cell, id, fault }: GridChild): string {
      const refusals = fault === 'init' ? (state.refusals.get(cell) ?? 0) : 0
      if (refusals > 0) {
        state.refusals.set(cell, refusals - 1)
        state.note(cell, `refused ${id}`)
        return 'refused'
      }
      state.note(cell, `up ${id}`)
      return 'ok'
    },
    down: (state, { cell, id }: GridChild) => state.note(cell, `down ${id}`),
    /** How many of the next inits fail in this cell. */
    refuse: (state, { cell, times }: { cell: string; times: number }) => {
      state.refusals.set(cell, times)
      return 'ok'
    },
    /** Answers once a cell has so many lines. */
    until(state, { cell, count }: { cell: string; count: number }, _self, from): unknown {
      if (state.lines(cell).length >= count) return 'there'
      state.waiting.push({ cell, count, from: { pid: from.pid, ref: from.ref } })
      return noreply()
    },
    /** Answers once a process has ended; then this thread has its EXIT, too: it was sent before the DOWN. */
    gone(state, pid: Pid, self, from): unknown {
      state.gone.set(self.monitor(pid), { pid: from.pid, ref: from.ref })
      return noreply()
    },
    /** The lines of a cell until now; from here on they begin anew. */
    take: (state, cell: string) => state.lines(cell).splice(0),
  },
  handleInfo: {
    DOWN(state, { ref }: { ref: number }, self) {
      const from = state.gone.get(ref)
      if (from !== undefined) self.reply(from, 'gone')
      state.gone.delete(ref)
    },
  },
})

export const Kid = genServer('grid.kid', {
  async init(start: GridChild, self) {
    // An exit signal is to end it, not to become a message.
    self.trapExit(start.fault !== 'exit signal')
    const answer = (await self.call(WITNESS, 'up', start)) as string
    return answer === 'ok' ? start : stop(answer)
  },
  handleCall: {
    crash() {
      throw new Error('in call')
    },
  },
  handleCast: {
    crash() {
      throw new Error('in cast')
    },
    goOn: (state) => noreply(state, { continue: 'crash' }),
  },
  handleInfo: {
    crash() {
      throw new Error('in info')
    },
  },
  handleContinue() {
    throw new Error('in continue')
  },
  async terminate(_reason, state, self) {
    await self.call(WITNESS, 'down', state)
    if (state.fault === 'terminate') throw new Error('in terminate')
  },
})

export default supervisor({
  children: [Witness.child(undefined, { name: WITNESS, place: { key: keyOfSlot(1) } })],
})
