/** A socket over its limit, as a model: whatever comes and however slowly it is taken, what may wait has a bound. */
import { onEvent } from 'beamish'
import fc from 'fast-check'
import t from 'tap'
import { Conflated } from '../../../channels/transport/conflated.ts'
import { Outbox, type Overflow } from '../../../channels/transport/outbox.ts'
import {
  OverflowReport,
  overflowOption,
  type SocketOverflow,
} from '../../../channels/transport/overflow.ts'
import type { Frame } from '../../../channels/wire/serializer.ts'
import { makePid } from '../../../runtime/process/pid.ts'
import { holds } from '../property.ts'

const MAX = 100

/** A client that reads when told. Frames say what they are: kind, number, and as much as makes their size. */
class SlowClient {
  readonly got: string[] = []
  readonly outbox: Outbox
  #sent: { readonly frame: string; readonly taken: (() => void) | undefined }[] = []
  #ends: (() => void)[] = []

  constructor(overflow: Overflow, leftOut?: (outbox: Outbox) => void) {
    const sent = () => this.#sent
    const sink = {
      send: (frames: readonly Frame[], taken?: () => void) => {
        const last = frames.length - 1
        frames.forEach((frame, i) => {
          this.#sent.push({ frame: frame as string, taken: i === last ? taken : undefined })
        })
      },
      get bufferedBytes() {
        return sent().reduce((sum, { frame }) => sum + Buffer.byteLength(frame), 0)
      },
      close() {},
    }
    const turn = { atTurnEnd: (flush: () => void) => this.#ends.push(flush) }
    this.outbox = new Outbox(sink, MAX, turn, overflow, leftOut)
  }

  /** What really waits on the way to the kernel, in bytes. */
  get sentBytes(): number {
    return this.#sent.reduce((sum, { frame }) => sum + Buffer.byteLength(frame), 0)
  }

  endTurn(): void {
    for (const end of this.#ends.splice(0)) end()
  }

  /** The kernel takes so many frames. */
  take(count: number): void {
    for (const { frame, taken } of this.#sent.splice(0, count)) {
      this.got.push(frame)
      taken?.()
    }
  }

  readAll(): void {
    for (let i = 0; i < 1_000; i++) {
      this.endTurn()
      this.take(1_000)
    }
  }
}

type Step =
  | { readonly do: 'spare'; readonly key: number; readonly size: number }
  | { readonly do: 'reply'; readonly size: number }
  | { readonly do: 'turn' }
  | { readonly do: 'take'; readonly count: number }

const size = fc.integer({ min: 6, max: 60 })
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('spare' as const), key: fc.nat(2), size }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reply' as const), size }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('take' as const), count: fc.nat(4) }) },
  ),
  { maxLength: 200 },
)
/** One, two or three bytes a character: the same for all frames of a run, which is when the count is exact. */
const letter = fc.constantFrom('x', 'ß', '☃')

interface Run {
  readonly client: SlowClient
  readonly spare: readonly string[]
  readonly replies: readonly string[]
  readonly bounded: boolean
  readonly open: boolean
}

function run(overflow: Overflow, all: readonly Step[], x: string): Run {
  const client = new SlowClient(overflow)
  const { outbox } = client
  const [spare, replies]: [string[], string[]] = [[], []]
  let [bounded, open] = [true, true]
  for (const [at, step] of all.entries()) {
    // As many bytes as its size says, letter by letter.
    const frame = (head: string, bytes: number): string =>
      x
        .repeat(Math.max(1, Math.floor(bytes / Buffer.byteLength(x))))
        .replace(/^/, x === 'x' ? head : '')
    if (step.do === 'turn') client.endTurn()
    else if (step.do === 'take') client.take(step.count)
    else {
      const head = `${step.do === 'spare' ? step.key : 'r'}:${at};`
      const made = frame(head, step.size)
      const isSpare = step.do === 'spare'
      if (!outbox.write(made, isSpare, 'room', isSpare ? String(step.key) : '')) {
        open = false
        break
      }
      ;(isSpare ? spare : replies).push(made)
    }
    const limit = (overflow === 'close' ? 1 : overflow === 'drop' ? 2 : 3) * MAX
    if (client.sentBytes > 2 * MAX || outbox.waitingBytes > limit + 3) bounded = false
  }
  return { client, spare, replies, bounded, open }
}

const OVERFLOW: readonly Overflow[] = ['close', 'drop', 'conflate']

t.test('what waits has a bound under every policy, in bytes, whatever is written', async (t) => {
  for (const overflow of OVERFLOW) {
    holds(
      t,
      fc.property(steps, letter, (all, x) => run(overflow, all, x).bounded),
    )
  }
})

t.test('what must not be missed comes in order, or the socket closes', async (t) => {
  for (const overflow of OVERFLOW) {
    holds(
      t,
      fc.property(steps, (all) => {
        const { client, replies } = run(overflow, all, 'x')
        client.readAll()
        const got = client.got.filter((frame) => frame.startsWith('r'))
        return got.join() === replies.join()
      }),
    )
  }
})

const numberOf = (frame: string): number => Number(/:(\d+);/.exec(frame)?.[1])

t.test('drop and conflate leave out and count, and never reorder a topic and event', async (t) => {
  for (const overflow of ['drop', 'conflate'] as const) {
    holds(
      t,
      fc.property(steps, (all) => {
        const { client, spare, replies, open } = run(overflow, all, 'x')
        client.readAll()
        const got = client.got.filter((frame) => !frame.startsWith('r'))
        for (const key of ['0', '1', '2']) {
          const numbers = got.filter((frame) => frame.startsWith(key)).map(numberOf)
          if (numbers.some((one, i) => one <= (numbers[i - 1] ?? -1))) return false
          const sent = spare.filter((frame) => frame.startsWith(key))
          // Three kept frames fit into the limit here: the last of each is never lost.
          const small = all.every((step) => !('size' in step) || step.size <= 33)
          if (
            overflow === 'conflate' &&
            small &&
            got.filter((f) => f.startsWith(key)).at(-1) !== sent.at(-1)
          )
            return false
        }
        return !open || client.outbox.dropped + client.got.length === spare.length + replies.length
      }),
    )
  }
})

t.test('a client that keeps up misses nothing', async (t) => {
  for (const overflow of OVERFLOW) {
    const client = new SlowClient(overflow)
    const sent = Array.from({ length: 500 }, (_, i) => `${i % 3}:${i};`)
    for (const frame of sent) {
      t.ok(client.outbox.write(frame, true, 'room', 'tick'))
      client.endTurn()
      client.take(1)
    }
    t.same(client.got, sent)
    t.equal(client.outbox.dropped, 0)
  }
})

t.test('conflate sends the latest of each topic and event once there is room', async (t) => {
  const told: number[] = []
  const client = new SlowClient('conflate', ({ dropped }) => told.push(dropped))
  const push = (frame: string, topic: string, event: string) =>
    t.ok(client.outbox.write(frame.padEnd(30, '.'), true, topic, event))
  for (const frame of ['a1', 'a2', 'a3']) push(frame, 'a', 'price')
  push('a4', 'a', 'price')
  push('b1', 'b', 'price')
  push('a5', 'a', 'other')
  push('a6', 'a', 'price')
  client.readAll()
  const got = client.got.map((frame) => frame.slice(0, 2))
  t.same(got, ['a1', 'a2', 'a3', 'b1', 'a5', 'a6'], 'a4 was replaced')
  t.same(told, [1])
})

t.test('what is kept for a channel that has ended is not sent', async (t) => {
  const client = new SlowClient('conflate')
  for (let i = 0; i < 20; i++)
    client.outbox.write(`${i % 2}`.padEnd(20, '.'), true, `room:${i % 2}`, 'e')
  client.outbox.forget('room:0')
  client.readAll()
  t.equal(client.got.at(-1)?.[0], '1')
  t.equal(client.got.length, 6)
})

t.test('conflated frames have a limit of their own: the oldest go first', async (t) => {
  const kept = new Conflated(10)
  t.equal(kept.put('a', 'x', '1234', 4), 0)
  t.equal(kept.put('b', 'x', '1234', 4), 0)
  t.equal(kept.put('c', 'x', '1234', 4), 1, 'a has gone')
  t.equal(kept.put('c', 'x', 'too large by far', 16), 2, 'neither the old one nor the new one')
  t.strictSame([kept.size, kept.bytes], [1, 4])
  t.equal(kept.take(3), undefined)
  t.equal(kept.take(4), '1234')
  t.strictSame([kept.size, kept.bytes], [0, 0])
})

t.test('a policy that does not exist is named', async (t) => {
  t.equal(overflowOption(), 'close')
  t.throws(() => overflowOption('wait' as Overflow), { code: 'BEAMISH_BAD_OPTION' })
})

t.test('frames left out are told at once, then once a second, and in the end', async (t) => {
  const told: SocketOverflow[] = []
  const about = { pid: makePid(1, 2, 3), remoteAddress: '::1', maxQueueBytes: MAX }
  let nowMs = 5_000
  const report = new OverflowReport({ ...about, overflow: 'drop' }, () => nowMs)
  report.leftOut({ dropped: 1, waitingBytes: 90 })
  const off = onEvent('socketOverflow', (event) => told.push(event))
  t.teardown(off)
  for (let dropped = 2; dropped <= 30; dropped++) {
    report.leftOut({ dropped, waitingBytes: 90 })
    nowMs += 100
  }
  t.same(
    told.map(({ dropped }) => dropped),
    [2, 12, 22],
  )
  report.end({ dropped: 30, waitingBytes: 0 })
  report.end({ dropped: 30, waitingBytes: 0 })
  t.equal(told.length, 4)
  t.same(told.at(-1), { ...about, overflow: 'drop', dropped: 30, waitingBytes: 0 })
})
