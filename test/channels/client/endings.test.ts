/** How joins and pushes of the typed client end, whatever becomes of the channel: none waits longer than it has to. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { PushError, type TypedChannel, typedChannel } from 'beamish/channels/client'
import t from 'tap'
import { Client } from '../../apps/tour/kit.ts'
import { phoenixSocket } from '../phoenixClient.ts'
import { startSockets } from '../sockets.ts'
import type { Desk } from './desk.app.ts'

const desk = await startSockets({}, new URL('./desk.app.ts', import.meta.url))
t.teardown(() => desk.node.stop())

/** Longer than the test may take: what ends by it has failed. */
const LONG = { timeoutMs: 600_000 }

async function entered(topic: string): Promise<[Client, TypedChannel<typeof Desk>]> {
  const client = await Client.open(desk, 'ada')
  const channel = typedChannel<typeof Desk>(client.socket, topic)
  await channel.join()
  return [client, channel]
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

t.test('what is asked of a channel that was left is closed at once', async (t) => {
  const [client, channel] = await entered('desk:left')
  let closes = 0
  channel.onClose(() => closes++)
  await channel.leave()
  t.same(await channel.request('ping', {}, LONG), { status: 'closed', response: undefined })
  t.match(await rejection(channel.push('ping', {}, LONG)), { status: 'closed', reason: 'closed' })
  t.match(await rejection(channel.join(LONG.timeoutMs)), { status: 'closed', reason: 'closed' })
  await channel.leave()
  t.equal(closes, 1, 'left twice, it closes once')
  await client.close()
})

t.test('what nobody waits for is sent in order, also before the join is answered', async (t) => {
  const client = await Client.open(desk, 'ada')
  const channel = typedChannel<typeof Desk>(client.socket, 'desk:send')
  const waiting = new Promise<void>((resolve) => channel.on('waiting', () => resolve()))
  void channel.join()
  channel.send('wait', {})
  await waiting
  channel.send('close', {})
  t.match(await channel.request('ping', {}, LONG), { status: 'closed' })
  t.equal(channel.send('wait', {}), undefined, 'after the end it goes nowhere')
  await client.close()
})

t.test('so is it of a channel that has stopped in order', async (t) => {
  const [client, channel] = await entered('desk:stopped')
  t.match(await rejection(channel.push('close', {}, LONG)), { status: 'closed' })
  t.match(await channel.request('ping', {}, LONG), { status: 'closed' })
  await client.close()
})

t.test('what was sent before a crash is lost', async (t) => {
  const [client, channel] = await entered('desk:crash')
  const back = new Promise((resolve) => channel.onJoined(resolve))
  const waiting = channel.request('wait', {}, LONG)
  const crash = await rejection(channel.push('crash', {}, LONG))
  t.ok(crash instanceof PushError)
  t.match(crash, {
    status: 'lost',
    reason: 'lost',
    message: 'push of crash to desk:crash failed: lost',
  })
  t.same(await waiting, { status: 'lost', response: undefined })
  const buffered = channel.request('ping', {}, LONG)
  await back
  t.match(await buffered, { status: 'ok' }, 'what waits for the next join is sent by it')
  await client.close()
})

t.test('what was sent before the connection was lost is lost', async (t) => {
  const [client, channel] = await entered('desk:lost')
  const heard = new Promise((resolve) => channel.on('waiting', resolve))
  const waiting = channel.request('wait', {}, LONG)
  await heard
  client.socket.conn.terminate()
  t.same(await waiting, { status: 'lost', response: undefined })
  t.match(await channel.request('ping', {}, LONG), { status: 'ok' })
  await client.close()
})

t.test('an answer of any status is heard as soon as it comes', async (t) => {
  const [client, channel] = await entered('desk:busy')
  const asked = await channel.request('ask', {}, LONG)
  t.match(asked, { status: 'busy', response: { retryAt: '1970-01-01T00:00:00.007Z' } })
  t.match(await rejection(channel.push('ask', {}, LONG)), {
    status: 'busy',
    response: { retryAt: '1970-01-01T00:00:00.007Z' },
  })
  await client.close()
})

t.test('a timeout without an end does not end at once', async (t) => {
  const [client, channel] = await entered('desk:endless')
  const endless = { timeoutMs: Number.POSITIVE_INFINITY }
  t.match(await channel.request('ping', {}, endless), { status: 'ok', response: { pong: true } })
  await client.close()
})

t.test('a join where nobody listens is a timeout', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const socket = phoenixSocket(`http://127.0.0.1:${port}`, {}, { path: '/socket' })
  const failed = new Promise<void>((resolve) => socket.onError(() => resolve()))
  socket.connect()
  const joining = rejection(typedChannel<typeof Desk>(socket, 'desk:nowhere').join(300))
  await failed
  t.match(await joining, { status: 'timeout', reason: 'timeout' })
  socket.disconnect()
})

t.test(
  'a join whose connection is lost meanwhile is a timeout, unless the next is in time',
  async (t) => {
    const client = await Client.open(desk, 'ada')
    const joining = rejection(typedChannel<typeof Desk>(client.socket, 'desk:never').join(500))
    client.socket.conn.terminate()
    t.match(await joining, { status: 'timeout' })
    await client.close()
  },
)
