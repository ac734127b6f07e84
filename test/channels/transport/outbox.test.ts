import t from 'tap'
import { type FrameSink, Outbox } from '../../../channels/transport/outbox.ts'
import type { Frame } from '../../../channels/wire/serializer.ts'

/** A socket that notes what is done to it, and turns that end when told. */
function socket(): {
  readonly sink: FrameSink
  readonly log: string[]
  endTurn(): void
  buffered: number
} {
  const ends: (() => void)[] = []
  const log: string[] = []
  const state = {
    buffered: 0,
    log,
    sink: {
      send: (frames: readonly Frame[]) => log.push(frames.join()),
      get bufferedBytes() {
        return state.buffered
      },
    },
    ends,
    endTurn: () => {
      for (const end of ends.splice(0)) end()
    },
  }
  return Object.assign(state, { atTurnEnd: (end: () => void) => ends.push(end) })
}

function outboxOf(made: ReturnType<typeof socket>, maxBytes: number): Outbox {
  const { atTurnEnd } = made as unknown as { atTurnEnd(end: () => void): void }
  return new Outbox(made.sink, maxBytes, atTurnEnd)
}

t.test('the frames of a turn leave together, in order, at its end', async (t) => {
  const made = socket()
  const outbox = outboxOf(made, 100)
  for (const frame of ['one', 'two', 'three']) t.equal(outbox.push(frame), true)
  t.strictSame(made.log, [], 'nothing leaves within the turn')
  made.endTurn()
  t.strictSame(made.log, ['one,two,three'])
  outbox.push('four')
  made.endTurn()
  t.strictSame(made.log.slice(1), ['four'])
  made.endTurn()
  t.equal(made.log.length, 2, 'a turn without frames writes nothing')
})

t.test(
  'what waits and what the kernel has not taken count against the limit together',
  async (t) => {
    const made = socket()
    const outbox = outboxOf(made, 10)
    t.equal(outbox.push('12345'), true)
    t.equal(outbox.push('12345'), true, 'exactly the limit')
    t.equal(outbox.push('1'), false, 'one over')
    const slow = socket()
    slow.buffered = 8
    t.equal(outboxOf(slow, 10).push('123'), false)
  },
)

t.test('a flush before a close writes at once; a closed outbox drops', async (t) => {
  const made = socket()
  const outbox = outboxOf(made, 100)
  outbox.push('last words')
  outbox.flush()
  t.strictSame(made.log, ['last words'])
  outbox.close()
  t.equal(outbox.push('too late'), true)
  made.endTurn()
  t.equal(made.log.length, 1)
})
