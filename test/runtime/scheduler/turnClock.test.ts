/** The time of a turn, and one process's share of it, by a clock that the test moves. */
import t from 'tap'
import { NO_PID } from '../../../runtime/process/pid.ts'
import { Board } from '../../../runtime/scheduler/board.ts'
import type { Host } from '../../../runtime/scheduler/host.ts'
import { Scheduler } from '../../../runtime/scheduler/scheduler.ts'
import { TurnClock } from '../../../runtime/scheduler/turnClock.ts'

function clock(): { now: number; reads: number; turn: TurnClock } {
  const at = { now: 0, reads: 0 } as { now: number; reads: number; turn: TurnClock }
  const now = (): number => {
    at.reads++
    return at.now
  }
  at.turn = new TurnClock({ now } as unknown as Host, 4)
  return at
}

const ticks = (turn: TurnClock, count: number): void => {
  for (let i = 0; i < count; i++) turn.tick()
}

t.test(
  'a process has had its share after a quarter of the turn, the turn ends later',
  async (t) => {
    const at = clock()
    at.turn.begin()
    at.turn.slice()
    at.now = 1.1
    ticks(at.turn, 16)
    t.equal(at.turn.sliceOver, true)
    t.equal(at.turn.turnOver, false)
    at.turn.slice()
    t.equal(at.turn.sliceOver, false, 'the next one has a share of its own')
    at.now = 4.1
    ticks(at.turn, 16)
    t.equal(at.turn.turnOver, true)
    at.turn.begin()
    t.equal(at.turn.turnOver, false)
  },
)

t.test('the clock is read once for many messages', async (t) => {
  const at = clock()
  at.turn.begin()
  ticks(at.turn, 1_600)
  t.equal(at.reads, 101)
})

t.test('an endless process ends the turn once somebody waits for that, not before', async (t) => {
  const board = Board.create(0)
  board.claim(0, 0)
  const turns: (() => void)[] = []
  const host = {
    now: () => 0,
    random: () => 0.5,
    soon: (turn: () => void) => turns.push(turn),
    alarm: () => {},
  }
  const scheduler = new Scheduler({ id: 0, slot: 0, board, host })
  let handled = 0
  let settles = false
  const greedy = {
    name: 'greedy',
    delivery: 'handle',
    start: () => undefined,
    handle(process: { pid: number }) {
      if (++handled % 1_000 === 0 && settles) scheduler.awaited = true
      if (handled < 10_000) scheduler.deliver(process as never, 'again')
    },
  } as const
  const run = (): number => {
    handled = 0
    const pid = scheduler.spawn(greedy as never, undefined, { parent: NO_PID, ancestors: [] })
    scheduler.deliver(pid, 'again')
    turns.shift()?.()
    const first = handled
    while (turns.length > 0) turns.shift()?.()
    t.equal(handled, 10_000, 'and all is handled in the end')
    return first
  }
  t.equal(run(), 10_000, 'nobody waits: one turn does it all')
  settles = true
  t.ok(run() < 1_300, 'somebody does: the turn ends within a budget')
})
