import t from 'tap'
import { joinPayload, type Page, visit } from '../liveview/liveClient.ts'
import { baseOf, ending, startApp, watchEndings } from '../liveview/startApp.ts'
import { outcome, phoenixSocket, type Socket } from './phoenixClient.ts'

const secretKeyBase = 'a secret that stays the same from node to node'
const node = await startApp({ secretKeyBase })
t.teardown(() => node.stop())
const base = await baseOf(node)

const add = { type: 'click', event: 'add', value: { n: 1 } }

/** A connected socket of the official client, for a page. */
async function open(page: Page, heartbeatIntervalMs = 30_000): Promise<Socket> {
  const { origin } = new URL(page.url)
  const params = { _csrf_token: page.csrf }
  const headers = { origin, cookie: page.cookie ?? '' }
  const socket = phoenixSocket(origin, headers, { params, heartbeatIntervalMs })
  const opened = new Promise<void>((resolve) => socket.onOpen(resolve))
  socket.connect()
  await opened
  return socket
}

const disconnected = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.disconnect(resolve))

t.test('it joins, pushes with replies, and leaves', async (t) => {
  const page = await visit(base, '/counter/official')
  const socket = await open(page)
  const channel = socket.channel(`lv:${page.id}`, joinPayload(page))
  const early = channel.join()
  const buffered = outcome(channel.push('event', add))
  const [status, joined] = await outcome(early)
  t.equal(status, 'ok')
  t.match(joined, { rendered: { s: Array } })
  t.match(await buffered, ['ok', { diff: { 2: '1' } }], 'pushed before the join was answered')
  t.match(await outcome(channel.push('event', add)), ['ok', { diff: { 2: '2' } }])
  t.match(await outcome(channel.push('nonsense', {})), ['error', { reason: 'unknown event' }])
  const closed = new Promise<void>((resolve) => channel.onClose(resolve))
  t.match(await outcome(channel.leave()), ['ok', {}])
  await closed
  t.equal(channel.state, 'closed')
  await disconnected(socket)
})

t.test('a refused join is an error with its reason', async (t) => {
  const page = await visit(base, '/counter/official-refused')
  const socket = await open(page)
  const unknown = socket.channel('room:lobby', {})
  t.match(await outcome(unknown.join()), ['error', { reason: 'unmatched topic' }])
  const forged = socket.channel(`lv:${page.id}`, { ...joinPayload(page), session: 'forged' })
  t.match(await outcome(forged.join()), ['error', { reason: 'stale' }])
  await disconnected(socket)
})

t.test('two channels of one topic: the newer takes over', async (t) => {
  const page = await visit(base, '/counter/official-twice')
  const socket = await open(page)
  const first = socket.channel(`lv:${page.id}`, joinPayload(page))
  t.match(await outcome(first.join()), ['ok', {}])
  const second = socket.channel(`lv:${page.id}`, joinPayload(page))
  t.match(await outcome(second.join()), ['ok', {}])
  t.match(await outcome(second.push('event', add)), ['ok', { diff: { 2: '1' } }])
  t.equal(second.state, 'joined')
  await disconnected(socket)
})

t.test('after a crash it joins again by itself', async (t) => {
  const page = await visit(base, '/counter/official-crash')
  const socket = await open(page)
  const channel = socket.channel(`lv:${page.id}`, joinPayload(page))
  const join = channel.join()
  let joins = 0
  const rejoined = new Promise<void>((resolve) => {
    join.receive('ok', () => {
      if (++joins === 2) resolve()
    })
  })
  await outcome(channel.push('event', add))
  const failed = new Promise<unknown>((resolve) => channel.onError(resolve))
  const crash = { type: 'click', event: 'crash', value: {} }
  t.match(await outcome(channel.push('event', crash)), ['error', { reason: 'event crashed' }])
  t.match(await failed, { reason: 'channel_crash' })
  await rejoined
  t.match(await outcome(channel.push('event', add)), ['ok', { diff: { 2: '1' } }], 'anew')
  await disconnected(socket)
})

t.test('heartbeats are answered: an idle socket stays open', async (t) => {
  const page = await visit(await baseOf(node, 'idle'), '/counter/official-heartbeat')
  const socket = await open(page, 700)
  let closes = 0
  socket.onClose(() => closes++)
  const channel = socket.channel(`lv:${page.id}`, joinPayload(page))
  await outcome(channel.join())
  // More than twice the idle limit of this endpoint.
  await node.self.sleep(4_500)
  t.equal(closes, 0)
  t.match(await outcome(channel.push('event', add)), ['ok', {}])
  await disconnected(socket)
})

t.test('a node that stops closes with 1012; on the next one the client comes back', async (t) => {
  const first = await startApp({ secretKeyBase })
  const address = await baseOf(first)
  const page = await visit(address, '/counter/official-restart')
  const socket = await open(page)
  const closed = new Promise<number>((resolve) => socket.onClose(({ code }) => resolve(code)))
  const channel = socket.channel(`lv:${page.id}`, joinPayload(page))
  let joins = 0
  const back = new Promise<void>((resolve) => {
    channel.join().receive('ok', () => {
      if (++joins === 2) resolve()
    })
  })
  await outcome(channel.push('event', add))
  watchEndings(first)
  const reason = ending(first, 'official-restart')
  await first.stop()
  t.equal(await closed, 1012)
  t.same(await reason, { shutdown: 'draining' }, 'terminate ran')
  // Threads copy the environment when they start: the app reads its port from there.
  process.env.BEAMISH_TEST_PORT = new URL(address).port
  t.teardown(() => {
    delete process.env.BEAMISH_TEST_PORT
  })
  const second = await startApp({ secretKeyBase })
  t.teardown(() => second.stop())
  t.equal(await baseOf(second), address)
  await back
  t.match(await outcome(channel.push('event', add)), ['ok', { diff: { 2: '1' } }])
  await disconnected(socket)
})
