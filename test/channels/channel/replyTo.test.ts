/** A reply that comes later keeps its place among what its channel sends: Phoenix has one mailbox for both. */
import { clientOf } from 'beamish/channels/testing'
import { testNode } from 'beamish/testing'
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
