/** A reply that comes later keeps its place among what its channel sends: Phoenix has one mailbox for both. */
import assert from 'node:assert/strict'
import { replyTo, type SocketRef } from 'beamish/channels'
import { clientOf } from 'beamish/channels/testing'
import { explore, type TestNode, testNode } from 'beamish/testing'
import t from 'tap'
import { outcome, phoenixSocket } from '../phoenixClient.ts'
import { connectTo, startSockets } from '../sockets.ts'
import type { WireClient } from '../wireClient.ts'
import { Later } from './replyTo.app.ts'

const sockets = await startSockets({}, new URL('./replyTo.app.ts', import.meta.url))
t.teardown(() => sockets.node.stop())
const threads = await sockets.node.schedulers()

/** What a fresh channel's client sees of one event, up to the last of these. */
async function seen(wire: WireClient, topic: string, event: string, last: string) {
  const { joinRef } = await wire.join(topic)
  const events: string[] = []
  wire.listen(topic, ({ event }) => {
    events.push(event)
    return false
  })
  wire.send({ joinRef, ref: 'r', topic, event, payload: threads })
  await wire.nextEvent(topic, last)
  return events
}

t.test('channels 67: a channel that answers by itself and goes on keeps that order', async (t) => {
  const wire = await connectTo(sockets, '/socket')
  t.same(await seen(wire, 'later:self', 'self', 'broadcast'), [
    'before',
    'phx_reply',
    'pushed',
    'broadcast',
  ])
  t.same(await seen(wire, 'later:bye', 'bye', 'phx_close'), ['phx_reply', 'phx_close'])
  await wire.close()
})

t.test('the official client gets the last reply of a channel that stops', async (t) => {
  const socket = phoenixSocket(sockets.base, {}, { path: '/socket' })
  socket.connect()
  const channel = socket.channel('later:official', {})
  await outcome(channel.join())
  t.same(await outcome(channel.push('bye', {})), ['ok', { last: true }])
  socket.disconnect()
})

t.test(
  'channels 67: what a channel sends on account of a reply by another process follows it',
  async (t) => {
    const wire = await connectTo(sockets, '/socket')
    for (let round = 0; round < 20; round++) {
      t.same(await seen(wire, `later:here${round}`, 'here', 'phx_close'), [
        'before',
        'phx_reply',
        'after',
        'phx_close',
      ])
      t.same(await seen(wire, `later:there${round}`, 'there', 'phx_close'), [
        'phx_reply',
        'after',
        'phx_close',
      ])
    }
    await wire.close()
  },
)

t.test('a channel on another thread than its socket keeps the order as well', async (t) => {
  const node = await testNode({ schedulers: 2 })
  t.teardown(() => node.close())
  const options = { channels: { 'later:*': Later }, scheduler: 1, place: { scheduler: 2 } } as const
  const client = await clientOf(node, {}, options)
  const channel = await client.join('later:elsewhere')
  const ref = channel.push('bye')
  t.same(await channel.assertReply(ref, 'ok'), { last: true })
  await channel.assertPush('phx_close')
})

/** A client on thread 1, its channels on thread 2. */
const APART = { channels: { 'later:*': Later }, scheduler: 1, place: { scheduler: 2 } } as const

/** What the client of the test is told next. */
async function nextOf(node: TestNode): Promise<string> {
  const { type, event } = await node.assertReceive<{ type: string; event?: string }>({
    type: /^(reply|push)$/,
  })
  return type === 'push' ? `${event}` : `phx_${type}`
}

t.test(
  'channels 67: wherever a channel, its socket and whoever answers are, the order holds',
  async (t) => {
    const run = async (node: TestNode): Promise<void> => {
      const client = await clientOf(node, {}, APART)
      for (const [event, threads] of [
        ['here', [2]],
        ['there', [1]],
        ['there', [3]],
      ] as const) {
        const channel = await client.join(`later:${event}${threads[0]}`)
        channel.push(event, threads)
        const told: string[] = []
        while (told.at(-1) !== 'phx_close') told.push(await nextOf(node))
        const rest = ['phx_reply', 'after', 'phx_close']
        assert.deepEqual(told, event === 'here' ? ['before', ...rest] : rest)
      }
    }
    t.match(await explore(run, { runs: 60, schedulers: 3 }), { runs: 60 })
  },
)

t.test('a later reply for a channel on another thread that has ended goes nowhere', async (t) => {
  const node = await testNode({ schedulers: 3 })
  t.teardown(() => node.close())
  const client = await clientOf(node, {}, APART)
  const channel = await client.join('later:gone')
  const ref = channel.push('lend', node.self.pid)
  const lent = await node.assertReceive<SocketRef>({ topic: 'later:gone', ref })
  t.same(await channel.close(), { shutdown: 'closed' })
  replyTo(node.self, lent, 'ok')
  await channel.refuteReply(ref)
})

t.test('the test kit tells of a channel that hangs, also when it has lent a ref', async (t) => {
  const node = await testNode({ schedulers: 2 })
  t.teardown(() => node.close())
  const channel = await (await clientOf(node, {}, APART)).join('later:hang')
  const ref = channel.push('hang')
  await t.rejects(channel.assertReply(ref, 'ok'), { code: 'BEAMISH_TEST_UNREPRODUCIBLE' })
})
