/** Keepers that are behind, killed, or far from the sockets; and what a channel may not do. */
import { sys } from 'beamish'
import { channel } from 'beamish/channels'
import t from 'tap'
import { keeperName } from '../../../channels/history/process.ts'
import { downReason, whenNamed } from '../../runtime/kit.ts'
import { outcome } from '../phoenixClient.ts'
import { WireClient } from '../wireClient.ts'
import { startHistories } from './historyNode.ts'
import { Reader } from './resuming.ts'

const SEED = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))

const { node, all, one } = await startHistories(t)

const keepers = () => Promise.all(node.schedulers().map((id) => whenNamed(node, keeperName(id))))
const expected = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const numbers = (reader: Reader): unknown[] => reader.seen.map(({ n }) => n)

/** Resolves when that many messages wait for the suspended keepers, together. */
async function waiting(count: number): Promise<void> {
  for (;;) {
    const infos = await Promise.all((await keepers()).map((pid) => node.self.info(pid)))
    if (infos.reduce((sum, info) => sum + (info?.mailboxLength ?? 0), 0) >= count) return
    await node.self.sleep(1)
  }
}

t.test(
  'a join takes all there is, however much is said before and after it is heard',
  async (t) => {
    for (const [before, after] of [
      [1_000, 0],
      [0, 1_000],
      [700, 700],
    ] as const) {
      const topic = `talk:behind-${before}-${after}`
      const speaker = await Reader.open(t, all, topic)
      const reader = await Reader.open(t, all, topic)
      await reader.cut()
      for (const pid of await keepers()) await sys.suspend(node.self, pid)
      if (before > 0) await speaker.say('burst', { count: before })
      const back = reader.back()
      await waiting(before + 1)
      if (after > 0) await speaker.say('burst', { count: after })
      await waiting(before + 1 + after)
      for (const pid of await keepers()) await sys.resume(node.self, pid)
      const { lost, missed } = await back
      t.notOk(lost)
      t.ok(missed >= before, `${missed} of ${before + after} were replayed`)
      await reader.until(() => reader.seen.length >= before + after, 'all of it')
      t.same(numbers(reader), [...expected(before), ...expected(after)])
      await Promise.all([reader.close(), speaker.close()])
    }
  },
)

t.test('channels far from their sockets are caught up, too', async (t) => {
  const topic = 'talk:far'
  const [speaker, ...readers] = [
    await Reader.open(t, one, topic),
    await Reader.open(t, one, topic),
    await Reader.open(t, all, topic),
    await Reader.open(t, one, topic),
    await Reader.open(t, all, topic),
  ] as [Reader, ...Reader[]]
  for (const reader of readers) await reader.cut()
  await speaker.say('burst', { count: 300 })
  const talk = speaker.say('burst', { count: 300 })
  for (const reader of readers) t.notOk((await reader.back()).lost)
  await talk
  for (const reader of [speaker, ...readers]) {
    await reader.until(() => reader.seen.length >= 600, 'all of it')
    t.same(numbers(reader), [...expected(300), ...expected(300)])
  }
})

t.test(
  'a slow client is not left without what is kept: it is closed, and gets the rest',
  async (t) => {
    const topic = 'talk:slow'
    const speaker = await Reader.open(t, all, topic)
    const reader = await Reader.open(t, all, topic, 'slow', '/drop')
    const closed = new Promise<void>((resolve) => reader.socket.onClose(() => resolve()))
    reader.socket.conn.pause()
    await speaker.say('large', { count: 1_200 })
    reader.socket.conn.resume()
    await closed
    await reader.until(() => reader.seen.length >= 1_200, 'all of it')
    t.same(numbers(reader), expected(1_200))
    t.same(reader.lost, [])
    t.ok(reader.told.length > 1, `joined ${reader.told.length} times`)
  },
)

t.test(
  'a keeper that is killed is replaced, loses its histories, and nobody their connection',
  async (t) => {
    const topic = 'talk:killed'
    const [reader, speaker] = [await Reader.open(t, all, topic), await Reader.open(t, all, topic)]
    await speaker.say('burst', { count: 3 })
    await reader.until(() => reader.seen.length === 3, 'the first three')
    const before = await keepers()
    await reader.cut()
    for (const pid of before) {
      const ref = node.self.monitor(pid)
      node.self.exit(pid, 'kill')
      await downReason(node, ref)
    }
    const again = await Promise.all(node.schedulers().map((id) => whenNamed(node, keeperName(id))))
    t.notOk(again.some((pid) => before.includes(pid)))
    t.match(await reader.back(), { lost: true })
    t.equal(speaker.told.length, 1, 'who was there has not joined again')
    await speaker.say('burst', { count: 2 })
    await reader.until(() => reader.seen.length === 5, 'what comes then')
    t.same(numbers(reader), [...expected(3), ...expected(2)])
  },
)

t.test(
  'what cannot carry a position crashes the channel that sends it, and no other',
  async (t) => {
    const wire = await WireClient.connect(all, { path: '/socket/websocket' })
    const other = await Reader.open(t, all, 'talk:odd')
    for (const event of ['odd', 'bytes']) {
      const { joinRef } = await wire.join('talk:odd')
      wire.send({ joinRef, ref: 'r', topic: 'talk:odd', event, payload: {} })
      const { payload } = await wire.nextEvent('talk:odd', 'phx_error')
      t.same(payload, { reason: 'channel_crash' })
    }
    t.match(await wire.join('bytes:x'), { status: 'error', response: { reason: 'join crashed' } })
    await other.say('burst', { count: 1 })
    await other.until(() => other.seen.length === 1, 'its own')
    t.equal(other.told.length, 1)
    await wire.close()
  },
)

t.test('options that cannot be are named when the channel is defined', async (t) => {
  const join = (_topic: string, _params: unknown, socket: never) => socket
  const bad = (history: never, handleOut = {}) =>
    t.throws(() => channel('history.bad', { join, history, handleOut } as never), {
      code: 'BEAMISH_BAD_OPTION',
    })
  bad({} as never)
  bad({ events: [] } as never)
  bad({ events: ['said'], maxMessages: 0 } as never)
  bad({ events: ['said'], maxAgeMs: Number.POSITIVE_INFINITY } as never)
  bad({ events: ['said'], maxBytes: 2 ** 30 } as never)
  bad({ events: ['said'], maxTopicsPerThread: 0 } as never)
  bad({ events: ['said'], maxBytes: 2_000, maxBytesPerThread: 1_999 } as never)
  bad({ events: ['said'] } as never, { said: () => {} })
})

t.test(
  'random cuts against many senders: everybody sees the same, once and in order',
  async (t) => {
    t.comment(`TEST_SEED=${SEED}`)
    let seed = SEED
    const random = (below: number): number => {
      // Lehmer: enough to choose by.
      seed = (seed * 48_271 + 1) % 2_147_483_647
      return seed % below
    }
    const topics = ['talk:random-a', 'talk:random-b']
    const senders = await Promise.all(
      [all, one, all].flatMap((base) => topics.map((topic) => Reader.open(t, base, topic))),
    )
    const readers = await Promise.all(
      [all, one, all, one].flatMap((base) => topics.map((topic) => Reader.open(t, base, topic))),
    )
    const topicOf = (at: number): number => at % topics.length
    const said = topics.map(() => 0)
    const talks: Promise<void>[] = []
    for (let step = 0; step < 120; step++) {
      const at = random(senders.length)
      const count = 1 + random(30)
      talks.push((senders[at] as Reader).say('burst', { count }))
      said[topicOf(at)] = (said[topicOf(at)] ?? 0) + count
      const reader = readers[random(readers.length)] as Reader
      if (!reader.away) await reader.cut()
      else if (random(2) === 0) await reader.back()
      // Not waited for: it may be cut again in the middle of its join.
      else reader.away = false
    }
    await Promise.all(talks)
    for (const reader of readers) reader.away = false
    for (const [at, reader] of [...senders, ...readers].entries()) {
      const count = said[topicOf(at)] ?? 0
      await reader.until(() => reader.seen.length >= count, `${count} on ${topics[topicOf(at)]}`)
      t.same(reader.lost, [])
      t.same(reader.seen, senders[topicOf(at)]?.seen)
    }
    t.same(
      topics.map((_, at) => senders[at]?.seen.length),
      said,
    )
    const heartbeat = await outcome((senders[0] as Reader).channel.push('burst', { count: 1 }))
    t.equal(heartbeat[0], 'ok')
  },
)
