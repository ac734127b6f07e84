/** Who hears what is sent on a topic, and what cannot be sent. */
import type { Pid } from 'beamish'
import t from 'tap'
import { connectTo, ending, startSockets } from '../sockets.ts'
import type { WireClient } from '../wireClient.ts'

const sockets = await startSockets()
t.teardown(() => sockets.node.stop())
const { node } = sockets

const open = (): Promise<WireClient> => connectTo(sockets, '/socket')

t.test('channels 55: a payload that is no map raises in the channel that pushes it', async (t) => {
  const wire = await open()
  const { joinRef } = await wire.join('room:array')
  wire.send({ joinRef, ref: null, topic: 'room:array', event: 'array', payload: {} })
  await wire.nextEvent('room:array', 'phx_error')
  t.match(await ending(sockets, 'room:array'), { error: { code: 'CHN_PAYLOAD' } })
  await wire.close()
})

t.test(
  'differs: channels 55: from outside of channels it is told, and the next arrives',
  async (t) => {
    const wire = await open()
    await wire.join('room:outside')
    node.self.broadcast('room:outside', 'bad', [1, 2])
    node.self.broadcast('room:outside', 'good', { n: 1 })
    t.match(await wire.nextEvent('room:outside', 'good'), { payload: { n: 1 } })
    t.same(wire.unread, [])
    await wire.close()
  },
)

t.test('from outside of channels, the client of one channel can be left out', async (t) => {
  const threads = await onEachThread('room:butOne')
  for (const { wire: one, joinRef } of threads.values()) {
    const { response } = await one.push('room:butOne', 'who', {}, joinRef)
    node.self.broadcastFrom('room:butOne', 'news', { to: 'others' }, response.pid as Pid)
    node.self.broadcast('room:butOne', 'news', { to: 'all' })
    for (const { wire } of threads.values()) {
      const heard = await wire.nextEvent('room:butOne', 'news')
      t.match(heard.payload, { to: wire === one ? 'all' : 'others' })
      if (wire !== one) await wire.nextEvent('room:butOne', 'news')
    }
  }
  await Promise.all([...threads.values()].map(({ wire }) => wire.close()))
})

/** A socket on each thread, joined to this topic. */
async function onEachThread(topic: string): Promise<Map<number, Joined>> {
  const found = new Map<number, Joined>()
  const spare: WireClient[] = []
  while (found.size < node.schedulers().length) {
    const wire = await open()
    const { joinRef } = await wire.join(topic)
    const { response } = await wire.push(topic, 'who', {}, joinRef)
    if (found.has(response.scheduler as number)) spare.push(wire)
    else found.set(response.scheduler as number, { wire, joinRef })
  }
  await Promise.all(spare.map((wire) => wire.close()))
  return found
}

interface Joined {
  readonly wire: WireClient
  readonly joinRef: string
}

t.test('channels 80, 81, 82: other topics are heard from subscribe to unsubscribe', async (t) => {
  const threads = await onEachThread('room:listens')
  const all = [...threads.values()]
  const each = (event: string, topic: string) =>
    Promise.all(
      all.map(({ wire, joinRef }) => wire.push('room:listens', event, { topic }, joinRef)),
    )
  const heard = () =>
    Promise.all(
      all.map(async ({ wire }) => (await wire.nextEvent('room:listens', 'heard')).payload),
    )
  for (const answer of await each('unsubscribe', 'news')) t.equal(answer.status, 'ok', 'never was')
  await each('subscribe', 'news')
  node.self.broadcast('other', 'item', { n: 0 })
  node.self.broadcast('news', 'item', { n: 1 })
  for (const payload of await heard()) {
    t.same(payload, { topic: 'news', event: 'item', payload: { n: 1 } })
  }
  await each('unsubscribe', 'news')
  node.self.broadcast('news', 'item', { n: 2 })
  await each('subscribe', 'more')
  node.self.broadcast('more', 'item', { n: 3 })
  for (const payload of await heard()) {
    t.same(payload, { topic: 'more', event: 'item', payload: { n: 3 } })
  }
  for (const { wire } of all) t.same(wire.unread, [])
  await Promise.all(all.map(({ wire }) => wire.close()))
})

t.test('differs: channels 84: a local broadcast stays on its thread', async (t) => {
  const threads = await onEachThread('room:local')
  const [[scheduler, first] = [0, undefined]] = [...threads]
  if (first === undefined) return t.fail('nobody is there')
  const { wire, joinRef } = first
  wire.send({ joinRef, ref: null, topic: 'room:local', event: 'local', payload: {} })
  for (const [thread, one] of threads) {
    await one.wire.nextEvent('room:local', 'done')
    const local = one.wire.unread.filter(({ event }) => event === 'local')
    t.same(
      local.map(({ payload }) => payload),
      thread === scheduler ? [{ scheduler }] : [],
    )
  }
  await Promise.all([...threads.values()].map(({ wire }) => wire.close()))
})
