/** history:* of the tour by the official client and the lines of docs/replay.md, on two threads. */
import t from 'tap'
import { startTour } from '../../apps/tour/kit.ts'
import { WireClient } from '../wireClient.ts'
import { onBothThreads, Reader } from './resuming.ts'

const tour = await startTour(t)
const { base, node } = tour

const numbers = (reader: Reader): unknown[] => reader.seen.map(({ n }) => n)
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

t.test(
  'a client that was cut off gets the 1,000 messages it missed, once and in order',
  async (t) => {
    const [reader, speaker] = await onBothThreads(t, base, 'history:thousand')
    t.match(reader.told, [{ lost: false, missed: 0 }])
    await speaker.say('burst', { count: 10 })
    await reader.until(() => reader.seen.length === 10, 'the first ten')
    await reader.cut()
    await speaker.say('burst', { count: 1_000 })
    await speaker.until(() => speaker.seen.length === 1_010, 'what it says itself')
    t.equal(reader.seen.length, 10)
    const backMs = performance.now()
    t.match(await reader.back(), { lost: false, missed: 1_000 })
    await reader.until(() => reader.seen.length === 1_010, 'what it missed')
    t.comment(`reconnected, joined and caught up in ${Math.round(performance.now() - backMs)} ms`)
    await speaker.say('burst', { count: 5 })
    for (const one of [reader, speaker]) {
      await one.until(() => one.seen.length === 1_015, 'what it missed and what came then')
    }
    t.same(numbers(reader), [...upTo(10), ...upTo(1_000), ...upTo(5)])
    t.same(reader.lost, [])
    t.same(reader.seen, speaker.seen, 'the same as those who were there')
  },
)

t.test('what is said while clients come back is neither lost nor doubled', async (t) => {
  const [speaker, other] = await onBothThreads(t, base, 'history:while')
  const readers = await Promise.all(
    Array.from({ length: 8 }, () => Reader.open(t, base, 'history:while')),
  )
  let saying = true
  let said = 0
  const talk = (async () => {
    while (saying) {
      await Promise.all([speaker, other].map((one) => one.say('burst', { count: 5 })))
      said += 10
    }
  })()
  for (let round = 0; round < 5; round++) {
    for (const reader of readers) await reader.cut()
    await Promise.all(readers.map((reader) => reader.back()))
  }
  saying = false
  await talk
  await speaker.until(() => speaker.seen.length >= said, `all ${said}`)
  for (const reader of readers) {
    await reader.until(() => reader.seen.length >= said, `all ${said}`)
    t.same(reader.lost, [])
    t.same(reader.seen, speaker.seen)
  }
  t.equal(speaker.seen.length, said)
})

t.test('a history that no longer reaches back is lost, and says so', async (t) => {
  const reader = await Reader.open(t, base, 'history:lost')
  const speaker = await Reader.open(t, base, 'history:lost')
  await speaker.say('burst', { count: 3 })
  await reader.until(() => reader.seen.length === 3, 'the first three')
  await reader.cut()
  // Two thousand are kept.
  for (let i = 0; i < 3; i++) await speaker.say('burst', { count: 1_000 })
  const { at, lost, missed } = await reader.back()
  t.match({ lost, missed }, { lost: true, missed: 0 })
  t.match(at, /:3003$/, 'it goes on from where the topic is')
  await speaker.say('say', { text: 'on we go' })
  await reader.until(() => reader.seen.length === 4, 'what comes then')
  t.match(reader.seen[3], { text: 'on we go' })
  await reader.cut()
  await speaker.say('say', { text: 'again' })
  t.match(await reader.back(), { lost: false, missed: 1 })
})

t.test(
  'a client that says nothing of positions is none the wiser, and misses nothing else',
  async (t) => {
    const [wire, speaker] = [
      await WireClient.connect(base, { path: '/socket/websocket' }),
      await Reader.open(t, base, 'history:plain'),
    ]
    await speaker.say('burst', { count: 3 })
    const { status, response } = await wire.join('history:plain')
    t.match([status, response], ['ok', { history: { lost: false, missed: 0, at: String } }])
    await speaker.say('say', { text: 'hello' })
    const { payload, joinRef } = await wire.nextEvent('history:plain', 'said')
    t.match([payload, joinRef], [{ text: 'hello', by: 'reader' }, null])
    for (const history of [
      null,
      7,
      'nonsense',
      'x:1',
      {},
      `${(response.history as { at: string }).at}0`,
    ]) {
      const again = await wire.join('history:plain', { history })
      t.match(again.response, { history: { lost: true, missed: 0 } }, JSON.stringify(history))
    }
    await wire.close()
  },
)

t.test('what is not kept is not replayed', async (t) => {
  const [typist, reader] = await onBothThreads(t, base, 'history:typing')
  const keys: unknown[] = []
  reader.channel.on('typed', (payload) => keys.push(payload))
  typist.channel.push('type', { key: 'a' })
  await typist.say('say', { text: 'a' })
  await reader.until(() => reader.seen.length === 1, 'what was said')
  t.same(Object.keys(reader.seen[0] ?? {}).sort(), ['by', 'history', 'text'])
  await reader.cut()
  typist.channel.push('type', { key: 'b' })
  await typist.say('say', { text: 'b' })
  t.match(await reader.back(), { missed: 1 })
  await reader.until(() => reader.seen.length === 2, 'what was said meanwhile')
  t.notOk(keys.some((payload) => (payload as { key: string }).key === 'b'))
})

t.test(
  'a topic whose thread is killed has a new history; those who were away hear of it',
  async (t) => {
    const topics = Array.from({ length: 8 }, (_, i) => `history:killed-${i}`)
    const readers = await Promise.all(topics.map((topic) => Reader.open(t, base, topic)))
    for (const reader of readers) await reader.say('burst', { count: 2 })
    await Promise.all(readers.map((reader) => reader.until(() => reader.seen.length === 2, 'both')))
    for (const reader of readers) await reader.cut()
    node.killThread(1)
    while (node.schedulers().length < 2 || node.schedulers().includes(1)) await node.self.sleep(5)
    const outcomes = await Promise.all(readers.map((reader) => reader.back()))
    const lost = outcomes.filter((one) => one.lost).length
    t.ok(lost > 0 && lost < topics.length, `${lost} of ${topics.length} were kept on that thread`)
    for (const [i, reader] of readers.entries()) {
      // It may have come back before the new keeper.
      if (reader.told.at(-1)?.at === null) await reader.cut().then(() => reader.back())
      await reader.say('say', { text: 'still here' })
      await reader.until(() => reader.seen.length === 3, `a message on ${topics[i]}`)
      t.match(reader.seen.at(-1), { text: 'still here' })
    }
  },
)
