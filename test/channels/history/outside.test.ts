/** What is said on a kept topic by whoever is no channel, what else is named history, and endpoints that end. */
import { sys } from 'beamish'
import t from 'tap'
import { keeperName } from '../../../channels/history/process.ts'
import { whenNamed } from '../../runtime/kit.ts'
import { WireClient } from '../wireClient.ts'
import { Sayer, Talk } from './history.app.ts'
import { startHistories } from './historyNode.ts'
import { Reader } from './resuming.ts'

const { node, all, one } = await startHistories(t)

const keepers = () => Promise.all(node.schedulers().map((id) => whenNamed(node, keeperName(id))))

t.test(
  'what main, other threads and routes over HTTP say by way of the channel is kept',
  async (t) => {
    const topic = 'talk:outside'
    const [reader, there] = [await Reader.open(t, all, topic), await Reader.open(t, all, topic)]
    await reader.cut()
    Talk.broadcast(node.self, topic, 'said', { n: 0 })
    await there.until(() => there.seen.length === 1, 'what main says')
    for (const [at, scheduler] of node.schedulers().entries()) {
      await node.self.start(Sayer, { topic, n: 1 + at }, { place: { scheduler } })
      await there.until(() => there.seen.length === 2 + at, `what thread ${scheduler} says`)
    }
    const said = await fetch(`${all}/say`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ topic, n: 3 }),
    })
    t.equal(said.status, 200)
    await there.until(() => there.seen.length === 4, 'what the route says')
    t.match(await reader.back(), { lost: false, missed: 4 })
    await reader.until(() => reader.seen.length === 4, 'what it missed')
    t.same(reader.seen, there.seen)
    t.same(
      reader.seen.map(({ n }) => n),
      [0, 1, 2, 3],
    )
    t.throws(() => Talk.broadcast(node.self, topic, 'said', { history: 1 }), {
      code: 'CHN_HISTORY',
    })
  },
)

t.test('however many come without a position while a join is answered, none is lost', async (t) => {
  const topic = 'talk:early'
  const wire = await WireClient.connect(all, { path: '/socket/websocket' })
  for (const pid of await keepers()) await sys.suspend(node.self, pid)
  const join = wire.join(topic)
  for (;;) {
    const infos = await Promise.all((await keepers()).map((pid) => node.self.info(pid)))
    if (infos.some((info) => (info?.mailboxLength ?? 0) > 0)) break
    await node.self.sleep(1)
  }
  for (let n = 0; n < 1_000; n++) node.self.broadcast(topic, n % 2 ? 'said' : 'other', { n })
  for (const pid of await keepers()) await sys.resume(node.self, pid)
  t.equal((await join).status, 'ok')
  for (let n = 0; n < 1_000; n++) {
    const { payload } = await wire.nextEvent(topic, n % 2 ? 'said' : 'other')
    if ((payload as { n: number }).n !== n) t.fail(`${JSON.stringify(payload)} in place of ${n}`)
  }
  await wire.close()
})

t.test('a join that is answered with a field history of its own is told so', async (t) => {
  const wire = await WireClient.connect(all, { path: '/socket/websocket' })
  t.match(await wire.join('named:a'), { status: 'error', response: { reason: 'join crashed' } })
  await wire.close()
})

t.test('an event that is not kept may have a field history of any kind', async (t) => {
  const [reader, speaker] = [
    await Reader.open(t, all, 'few:own'),
    await Reader.open(t, all, 'few:own'),
  ]
  await speaker.say('say', {})
  await reader.until(() => reader.seen.length === 1, 'what is said')
  const mine: unknown[] = []
  reader.channel.on('mine', (payload) => mine.push(payload))
  for (const history of [[1, 2, 3], 'few:1', { metas: [] }]) await reader.say('mine', history)
  t.equal(mine.length, 3)
  // A broadcast that is in no history, of an event that is kept.
  node.self.broadcast('few:own', 'said', { history: [1, 2, 3] })
  await reader.until(() => reader.seen.length === 2, 'what goes around the keeper')
  await reader.cut()
  await speaker.say('say', {})
  t.match(await reader.back(), { lost: false, missed: 1 })
})

t.test('joins displace nothing; more topics than may be kept displace the oldest', async (t) => {
  const [reader, speaker] = [
    await Reader.open(t, all, 'few:kept'),
    await Reader.open(t, all, 'few:kept'),
  ]
  await speaker.say('say', {})
  await reader.until(() => reader.seen.length === 1, 'what is said')
  await reader.cut()
  const wire = await WireClient.connect(all, { path: '/socket/websocket' })
  const topics = Array.from({ length: 20 }, (_, i) => `few:joined-${i}`)
  for (const topic of topics) t.equal((await wire.join(topic)).status, 'ok')
  await speaker.say('say', {})
  t.match(await reader.back(), { lost: false, missed: 1 })
  await reader.until(() => reader.seen.length === 2, 'what it missed')
  await reader.cut()
  for (const topic of topics) {
    const { joinRef } = await wire.join(topic)
    wire.send({ joinRef, ref: 's', topic, event: 'say', payload: {} })
    await wire.nextEvent(topic, 'said')
  }
  t.match(await reader.back(), { lost: true })
  await wire.close()
})

t.test('an endpoint that ends leaves the histories of the others alone', async (t) => {
  const topic = 'talk:two'
  const [reader, speaker] = [await Reader.open(t, one, topic), await Reader.open(t, one, topic)]
  await speaker.say('burst', { count: 2 })
  await reader.until(() => reader.seen.length === 2, 'both')
  await reader.cut()
  t.equal(await node.self.call('beamish.root', 'terminateChild' as never, 'all' as never), 'ok')
  await speaker.say('burst', { count: 2 })
  t.match(await reader.back(), { lost: false, missed: 2 })
  await reader.until(() => reader.seen.length === 4, 'what it missed')
})
