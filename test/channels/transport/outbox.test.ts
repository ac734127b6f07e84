import t from 'tap'
import { type FrameSink, Outbox, type TurnEnd } from '../../../channels/transport/outbox.ts'
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
      send: (frames: readonly Frame[]) => {
        log.push(frames.join())
        state.buffered += frames.join('').length
      },
      close: (code: number) => log.push(`close ${code}`),
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
  return new Outbox(made.sink, maxBytes, made as unknown as TurnEnd)
}

t.test('the frames of a turn leave together, in order, at its end', async (t) => {
  const made = socket()
  const outbox = outboxOf(made, 100)
  for (const frame of ['one', 'two', 'three']) t.equal(outbox.write(frame), true)
  t.strictSame(made.log, [], 'nothing leaves within the turn')
  made.endTurn()
  t.strictSame(made.log, ['one,two,three'])
  outbox.write('four')
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
    t.equal(outbox.write('12345'), true)
    t.equal(outbox.write('12345'), true, 'exactly the limit')
    t.equal(outbox.write('1'), false, 'one over')
    t.strictSame(made.log, ['12345,12345'], 'the kernel was asked first')
    made.buffered = 0
    t.equal(outbox.write('1'), true, 'it has taken them')
    const slow = socket()
    slow.buffered = 8
    t.equal(outboxOf(slow, 10).write('123'), false)
  },
)

t.test('a close writes what is queued, then takes no more', async (t) => {
  const made = socket()
  const outbox = outboxOf(made, 100)
  outbox.write('last words')
  outbox.close(1012, 'service restart')
  t.strictSame(made.log, ['last words', 'close 1012'])
  t.equal(outbox.write('too late'), true)
  made.endTurn()
  t.equal(made.log.length, 2)
})

t.test('what is dropped is not written', async (t) => {
  const made = socket()
  const outbox = outboxOf(made, 100)
  outbox.write('never')
  outbox.drop()
  made.endTurn()
  t.strictSame(made.log, [])
})

t.test(
  'a frame that is alone may be of any size, and does not count while it leaves',
  async (t) => {
    const made = socket()
    const outbox = outboxOf(made, 10)
    t.equal(outbox.write('x'.repeat(25)), true)
    t.strictSame(made.log, ['x'.repeat(25)], 'it leaves by itself')
    t.equal(outbox.write('12345'), true)
    made.endTurn()
    t.equal(outbox.write('123456'), false, 'what comes after it has the limit')
    made.buffered = 5
    t.equal(outbox.write('123456'), false, 'it has left')
    made.buffered = 0
    t.equal(outbox.write('y'.repeat(25)), true)
    t.equal(outbox.write('z'.repeat(25)), false, 'the next one is not alone')
  },
)

t.test('a frame that is alone is never left out, either', async (t) => {
  for (const overflow of ['drop', 'conflate'] as const) {
    const made = socket()
    const outbox = new Outbox(made.sink, 10, made as unknown as TurnEnd, overflow)
    t.equal(outbox.write('x'.repeat(25), true, 'room', 'big'), true)
    t.strictSame([made.log.length, outbox.dropped], [1, 0])
  }
})

t.test('much that is written in one turn leaves in pieces', async (t) => {
  const made = socket()
  const outbox = outboxOf(made, 1_000_000)
  for (let i = 0; i < 10; i++) outbox.write('x'.repeat(20_000))
  t.strictSame(
    made.log.map(({ length }) => length),
    [80_003, 80_003],
  )
  made.endTurn()
  t.equal(made.log.length, 3)
})

t.test('those that wait for room have it one after the other, when little waits', async (t) => {
  const takes: (() => void)[] = []
  const made = socket()
  const sink: FrameSink = {
    ...made.sink,
    send: (frames, taken) => {
      made.log.push(frames.join())
      if (taken !== undefined) takes.push(taken)
    },
    get bufferedBytes() {
      return made.buffered
    },
  }
  const outbox = new Outbox(sink, 1_000_000, made as unknown as TurnEnd)
  const page = 'p'.repeat(30_000)
  const order: string[] = []
  const write = (name: string) => () => {
    order.push(name)
    outbox.write(page)
  }
  outbox.whenDrained(write('one'))
  t.same(order, ['one'], 'at once, while nothing waits')
  outbox.whenDrained(write('two'))
  outbox.whenDrained(write('three'))
  t.same(order, ['one'])
  made.endTurn()
  made.buffered = 30_000
  t.same(order, ['one'], 'the kernel has not taken it')
  made.buffered = 10_000
  for (const take of takes.splice(0)) take()
  t.same(order, ['one', 'two'], 'what one writes is in the way of the next')
  made.endTurn()
  made.buffered = 0
  for (const take of takes.splice(0)) take()
  t.same(order, ['one', 'two', 'three'])
  // Written when nobody waited, and on its way.
  const late = new Outbox(sink, 1_000_000, made as unknown as TurnEnd)
  made.buffered = 30_000
  let drained = 0
  late.whenDrained(() => drained++)
  t.equal(drained, 0)
  late.whenDrained(() => drained++)
  made.buffered = 0
  for (const take of takes.splice(0)) take()
  t.equal(drained, 2)
  made.buffered = 30_000
  late.whenDrained(() => drained++)
  late.close(1001, '')
  t.equal(drained, 3, 'there is nobody any more')
})
