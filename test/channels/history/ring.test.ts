/** What is kept of topics, against models: the limits hold, and what is told of the past is all of it or that it is lost. */
import fc from 'fast-check'
import t from 'tap'
import { Book, type ChannelLimits, type Missed } from '../../../channels/history/book.ts'
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
          const told = ring.reaches(offset) ? ring.since(offset) : undefined
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

const LIMITS: ChannelLimits = {
  channel: 'c',
  maxMessages: 10,
  maxAgeMs: 1_000,
  maxBytes: 300,
  maxTopicsPerThread: 10,
  maxBytesPerThread: 400,
}
const ALL = Number.POSITIVE_INFINITY

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

/** All pages, of two messages or so. */
function whole(
  book: Book,
  topic: string,
  from: Position | undefined,
  limits: ChannelLimits,
  nowMs: number,
): Missed {
  let page = book.since(topic, from, limits, nowMs, 60)
  const messages = [...page.messages]
  const { left } = page
  while (page.left > 0) {
    page = book.since(topic, page.at, limits, nowMs, 60)
    messages.push(...page.messages)
  }
  if (page.lost && messages.length > 0) throw new Error('lost, and not lost')
  if (messages.length > 0 && messages.length < left) throw new Error('fewer than there were')
  return { ...page, messages }
}

t.test(
  'whoever comes back gets each message once and in order, or hears of the loss',
  async (t) => {
    holds(
      t,
      fc.property(bookSteps, fc.integer({ min: 1, max: 6 }), (steps, maxTopicsPerThread) => {
        let epoch = 0
        const limits = { ...LIMITS, maxTopicsPerThread }
        const made = () => new Book(`e${epoch++}`)
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
            const text = book.keep(`t${step.topic}`, 'said', JSON.stringify({ n }), limits, nowMs)
            const { n: same, history } = JSON.parse(text) as { n: number; history: string }
            if (same !== n || parsePosition(history) === undefined) return false
          } else {
            const key = `${step.topic} ${step.reader}`
            const reader = readers.get(key) ?? { at: undefined, from: 0 }
            readers.set(key, reader)
            const { at, lost, messages } = whole(book, `t${step.topic}`, reader.at, limits, nowMs)
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
          if (book.topics > maxTopicsPerThread || book.bytes > 400 || book.bytes < 0) return false
        }
        return true
      }),
      { numRuns: 300 },
    )
  },
)

t.test('what nothing is left of goes first, and no channel displaces what another keeps', (t) => {
  const book = new Book('e')
  const limits = { ...LIMITS, maxTopicsPerThread: 3 }
  const say = (topic: string, nowMs: number, channel = 'c') =>
    parsePosition(
      (
        JSON.parse(book.keep(topic, 'said', '{}', { ...limits, channel }, nowMs)) as {
          history: string
        }
      ).history,
    )
  const lost = (topic: string, at: Position | undefined, nowMs: number): boolean =>
    book.since(topic, at, limits, nowMs, ALL).lost
  const first = say('first', 0)
  const old = say('old', 0)
  const alive = say('alive', 900)
  const other = say('other', 900, 'another')
  say('first', 900)
  book.sweep(1_500)
  t.notOk(lost('old', old, 1_500), 'nothing is left of it, and nothing came since')
  for (let i = 0; i < 50; i++) {
    t.same(book.since(`joined-${i}`, undefined, limits, 1_500, ALL).messages, [])
  }
  t.equal(book.topics, 4, 'who joins alone makes no history')
  say('next', 1_500)
  t.equal(book.topics, 4)
  t.notOk(lost('first', first, 1_500), 'it was used longest ago, and is not empty')
  t.notOk(lost('alive', alive, 1_500))
  for (let i = 0; i < 50; i++) say(`many-${i}`, 1_500)
  t.equal(book.topics, 4)
  t.ok(lost('alive', alive, 1_500))
  t.notOk(book.since('other', other, { ...limits, channel: 'another' }, 1_500, ALL).lost)
  t.end()
})

t.test('a topic that went and begins anew counts on: no position stands for two messages', (t) => {
  const book = new Book('e')
  const limits = { ...LIMITS, maxTopicsPerThread: 1 }
  for (let i = 0; i < 5; i++) book.keep('a', 'said', '{}', limits, 0)
  const seenTwo = { epoch: 'e', offset: 2 }
  const seenAll = { epoch: 'e', offset: 5 }
  t.equal(book.since('a', seenTwo, limits, 0, ALL).messages.length, 3)
  book.keep('b', 'said', '{}', limits, 0)
  t.ok(book.since('a', seenTwo, limits, 0, ALL).lost)
  t.match(book.since('a', seenAll, limits, 0, ALL), { lost: false, messages: [] })
  t.match(JSON.parse(book.keep('a', 'said', '{}', limits, 0)), { history: 'e:6' })
  t.ok(book.since('a', seenTwo, limits, 0, ALL).lost)
  t.equal(book.since('a', seenAll, limits, 0, ALL).messages.length, 1)
  t.match(JSON.parse(book.keep('b', 'said', '{}', limits, 0)), { history: 'e:6' })
  t.match(JSON.parse(book.keep('c', 'said', '{}', limits, 0)), { history: 'e:7' })
  t.ok(book.since('b', { epoch: 'e', offset: 1 }, limits, 0, ALL).lost)
  t.end()
})

t.test('an empty payload and one of many fields get their position in the same way', async (t) => {
  const book = new Book('k')
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
