/** What is kept of topics, against models: the limits hold, and what is told of the past is all of it or that it is lost. */
import fc from 'fast-check'
import t from 'tap'
import { Book } from '../../../channels/history/book.ts'
import { formatPosition, type Position, parsePosition } from '../../../channels/history/position.ts'
import { type HistoryLimits, Ring } from '../../../channels/history/ring.ts'
import { holds } from '../property.ts'

const limits: fc.Arbitrary<HistoryLimits> = fc.record({
  maxMessages: fc.integer({ min: 1, max: 20 }),
  maxAgeMs: fc.integer({ min: 1, max: 50 }),
  maxBytes: fc.integer({ min: 1, max: 200 }),
})

const ringSteps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('add' as const),
      text: fc.string({ unit: 'binary', maxLength: 40 }),
    }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 20 }) }),
    fc.record({ do: fc.constant('since' as const), back: fc.integer({ min: -2, max: 30 }) }),
  ),
  { maxLength: 150 },
)

t.test('a ring keeps to its limits, and tells a suffix without a gap or nothing', async (t) => {
  holds(
    t,
    fc.property(limits, ringSteps, (limits, steps) => {
      const ring = new Ring()
      const said: { text: string; atMs: number }[] = []
      let nowMs = 0
      for (const step of steps) {
        if (step.do === 'wait') {
          nowMs += step.ms
          ring.trim(nowMs, limits)
        } else if (step.do === 'add') {
          said.push({ text: step.text, atMs: nowMs })
          ring.add('e', step.text, nowMs, limits)
        } else {
          const offset = ring.last - step.back
          const told = ring.since(offset)
          if (step.back < 0 && told !== undefined) return false
          if (step.back >= 0 && step.back <= ring.length && told === undefined) return false
          if (step.back > ring.length && told !== undefined) return false
          if (
            told !== undefined &&
            told.map(({ text }) => text).join('|') !==
              said
                .slice(offset)
                .map(({ text }) => text)
                .join('|')
          )
            return false
        }
        const kept = ring.length === 0 ? [] : said.slice(-ring.length)
        const bytes = kept.reduce((sum, { text }) => sum + Buffer.byteLength(text) + 1, 0)
        if (ring.bytes !== bytes || bytes > limits.maxBytes) return false
        if (kept.length > limits.maxMessages) return false
        if (kept.some(({ atMs }) => nowMs - atMs >= limits.maxAgeMs)) return false
        if (ring.last !== said.length) return false
      }
      return true
    }),
  )
})

const LIMITS: HistoryLimits = { maxMessages: 10, maxAgeMs: 1_000, maxBytes: 300 }

/** A client that comes back now and then. */
interface Reader {
  at: Position | undefined
  /** Number of the next message it may not miss. */
  from: number
}

const bookSteps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('say' as const), topic: fc.nat(4) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('read' as const),
        topic: fc.nat(4),
        reader: fc.nat(2),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(600) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const) }) },
  ),
  { maxLength: 200 },
)

t.test(
  'whoever comes back gets each message once and in order, or hears of the loss',
  async (t) => {
    holds(
      t,
      fc.property(bookSteps, fc.integer({ min: 1, max: 6 }), (steps, maxTopics) => {
        let epoch = 0
        const made = () => new Book({ maxTopics, maxBytes: 400 }, () => `e${epoch++}`)
        let book = made()
        let nowMs = 0
        const said = new Map<number, number>()
        const readers = new Map<string, Reader>()
        for (const step of steps) {
          if (step.do === 'wait') {
            nowMs += step.ms
            book.sweep(nowMs)
          } else if (step.do === 'die') book = made()
          else if (step.do === 'say') {
            const n = said.get(step.topic) ?? 0
            said.set(step.topic, n + 1)
            const text = book.keep(`t${step.topic}`, 'said', JSON.stringify({ n }), LIMITS, nowMs)
            const { n: same, history } = JSON.parse(text) as { n: number; history: string }
            if (same !== n || parsePosition(history) === undefined) return false
          } else {
            const key = `${step.topic} ${step.reader}`
            const reader = readers.get(key) ?? { at: undefined, from: 0 }
            readers.set(key, reader)
            const { at, lost, messages } = book.since(`t${step.topic}`, reader.at, LIMITS, nowMs)
            const now = said.get(step.topic) ?? 0
            if (lost && messages.length > 0) return false
            const numbers = messages.map(({ text }) => (JSON.parse(text) as { n: number }).n)
            if (reader.at !== undefined && !lost) {
              const expected = Array.from({ length: now - reader.from }, (_, i) => reader.from + i)
              if (numbers.join() !== expected.join()) return false
            } else if (numbers.length > 0) return false
            reader.at = at
            reader.from = now
          }
          if (book.topics > maxTopics || book.bytes > 400 || book.bytes < 0) return false
        }
        return true
      }),
      { numRuns: 300 },
    )
  },
)

t.test('an empty payload and one of many fields get their position in the same way', async (t) => {
  const book = new Book({ maxTopics: 10, maxBytes: 1_000 }, () => 'k')
  t.same(JSON.parse(book.keep('a', 'e', '{}', LIMITS, 0)), { history: 'k:1' })
  t.same(JSON.parse(book.keep('a', 'e', '{"x":{"y":[1]}}', LIMITS, 0)), {
    x: { y: [1] },
    history: 'k:2',
  })
})

t.test('positions are read back; what a client makes up is none', async (t) => {
  holds(
    t,
    fc.property(fc.integer({ min: 0, max: 999_999_999_999_999 }), (offset) => {
      const position = { epoch: 'abc09', offset }
      const read = parsePosition(formatPosition(position))
      return read?.epoch === 'abc09' && read.offset === offset
    }),
  )
  const made = [
    undefined,
    null,
    7,
    '',
    'a',
    'a:',
    ':1',
    'a:-1',
    'a:01',
    'a:1.5',
    'A:1',
    'a:1e9',
    `${'a'.repeat(60)}:1`,
    'a:9999999999999999',
    ['a:1'],
    { epoch: 'a', offset: 1 },
  ]
  for (const value of made) t.equal(parsePosition(value), undefined, JSON.stringify(value))
})
